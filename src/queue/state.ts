/** What is true of one letter after its events so far: the fold of its stream. */
import type { Address, BodyRef, RecipientNo } from '../mail/envelope.ts';
import { Trouble } from '../mail/trouble.ts';
import type { Incarnation } from '../nodes/events.ts';
import type { Instant } from '../platform/clock.ts';
import { eventName, type Parent, type QueueEvent, type Route } from './events.ts';
import { whyOutOfPlace } from './out-of-place.ts';

export type RecipientStatus = 'waiting' | 'attempting' | 'delivered' | 'failed' | 'cancelled';

export type RecipientState = {
  /** The envelope's address, or the one an operator redirected it to. */
  address: Address;
  status: RecipientStatus;
  route: Route | undefined;
  tries: number;
  /** When the next attempt may start; meaningful while `waiting`. */
  dueAt: Instant;
  /** The next attempt was asked for by hand. */
  asked: boolean;
};

export type OpenAttempt = {
  readonly rcpts: readonly RecipientNo[];
  readonly routes: readonly Route[];
  readonly startedAt: Instant;
  readonly untilAt: Instant;
  readonly last: boolean;
  /** Who made it, where several nodes share the log. */
  readonly by: Incarnation | undefined;
};

/** One failure, in the order in which failures were reported: what a bounce lists. */
export type Failure = {
  readonly rcpt: RecipientNo;
  readonly address: Address;
  /** Of a letter to very many not more than `reportRoom`. */
  readonly text: string;
  /** It was a deferral, too late. */
  readonly expired?: true;
};

export type QueueState = {
  birth: Instant;
  returnPath: Address;
  body: BodyRef;
  eightBit: boolean;
  utf8: boolean;
  parent: Parent | undefined;
  /** The node that may start something with it, where several share the log. */
  owner: Incarnation | undefined;
  recipients: RecipientState[];
  /** Recipients without a terminal event. */
  unfinished: number;
  /** Number of the last attempt. */
  attempts: number;
  open: Map<number, OpenAttempt>;
  failures: Failure[];
  held: boolean;
  settledAt: Instant | undefined;
  done: boolean;
};

export const initial = (): QueueState => ({
  birth: 0,
  returnPath: '',
  body: { id: '', bytes: 0, sha256: '' },
  eightBit: false,
  utf8: false,
  parent: undefined,
  owner: undefined,
  recipients: [],
  unfinished: 0,
  attempts: 0,
  open: new Map(),
  failures: [],
  held: false,
  settledAt: undefined,
  done: false,
});

/**
 * In place: its holder alone has the state, and a letter to thousands must not be copied per event. Throws
 * `log-damaged` for an event that cannot follow those before it: such a letter is for a person to look at, as
 * one with an event that cannot be read, and nothing is concluded from the rest of it.
 */
export function evolve(state: QueueState, event: QueueEvent): QueueState {
  const why = whyPassedOver(state, event);
  if (why === undefined) return state;
  throw new Trouble('log-damaged', { tryAgain: false, peer: 'log damaged (#4.3.0)', detail: why });
}

/** As `evolve`, for those who only look: why the event was passed over; `undefined`: it counts. */
export function whyPassedOver(state: QueueState, event: QueueEvent): string | undefined {
  try {
    const why = whyOutOfPlace(state, event);
    if (why !== undefined) return `${eventName(event)} makes no sense: ${why}`;
    apply(state, event);
    return undefined;
  } catch {
    // Not of the shape that its type has; or a fault of ours, which is this letter's trouble only.
    return `${eventName(event)} does not look like one`;
  }
}

function apply(state: QueueState, event: QueueEvent): void {
  switch (event.type) {
    case 'MessageAccepted': {
      const { envelope, body, arrival, parent, owner } = event.data;
      state.birth = event.at;
      state.returnPath = envelope.returnPath;
      state.body = body;
      state.eightBit = arrival.eightBit ?? false;
      state.utf8 = arrival.utf8 ?? false;
      state.parent = parent;
      state.owner = owner;
      state.recipients = envelope.recipients.map((address) => waiting(address, event.at));
      state.unfinished = envelope.recipients.length;
      break;
    }
    case 'MessageAdopted':
      state.owner = event.data.by;
      break;
    case 'MessageQueued':
      event.data.routes.forEach((route, rcpt) => {
        const recipient = state.recipients[rcpt];
        if (recipient !== undefined) recipient.route = route;
      });
      break;
    case 'AttemptStarted': {
      const { attempt, rcpts, routes, untilAt, last } = event.data;
      state.attempts = attempt;
      const by = state.owner;
      state.open.set(attempt, { rcpts, routes, startedAt: event.at, untilAt, last, by });
      rcpts.forEach((rcpt, index) => {
        const recipient = state.recipients[rcpt]!;
        recipient.status = 'attempting';
        recipient.route = routes[index];
        recipient.tries += 1;
        recipient.asked = false;
      });
      break;
    }
    case 'RecipientDelivered':
      finish(state, event.data.rcpt, event.data.attempt, 'delivered');
      break;
    case 'RecipientDeferred': {
      const recipient = finish(state, event.data.rcpt, event.data.attempt, 'waiting');
      recipient.dueAt = event.data.dueAt;
      break;
    }
    case 'RecipientFailed': {
      const { rcpt, address, attempt, reply, expired } = event.data;
      finish(state, rcpt, attempt, 'failed');
      const text = clipped(reply.text, reportRoom(state.recipients.length));
      state.failures.push({ rcpt, address, text, ...(expired && { expired }) });
      break;
    }
    case 'RecipientCancelled':
      finish(state, event.data.rcpt, undefined, 'cancelled');
      break;
    case 'RecipientRedirected': {
      const recipient = state.recipients[event.data.rcpt]!;
      recipient.address = event.data.to;
      recipient.dueAt = event.at;
      break;
    }
    case 'RetryRequested':
      for (const rcpt of event.data.rcpts) {
        const recipient = state.recipients[rcpt]!;
        recipient.dueAt = event.at;
        recipient.asked = true;
      }
      break;
    case 'MessageHeld':
      state.held = true;
      break;
    case 'MessageReleased':
      state.held = false;
      break;
    case 'MessageSettled':
      state.settledAt = event.at;
      break;
    case 'BounceQueued':
    case 'BounceDiscarded':
      break;
    case 'MessageCleanedUp':
      state.done = true;
      break;
  }
}

const waiting = (address: Address, dueAt: Instant): RecipientState => ({
  address,
  status: 'waiting',
  route: undefined,
  tries: 0,
  dueAt,
  asked: false,
});

/** A recipient leaves an attempt; the attempt closes with its last recipient. */
function finish(
  state: QueueState,
  rcpt: RecipientNo,
  attempt: number | undefined,
  status: RecipientStatus,
): RecipientState {
  const recipient = state.recipients[rcpt]!;
  recipient.status = status;
  if (status !== 'waiting') state.unfinished -= 1;
  const open = attempt === undefined ? undefined : state.open.get(attempt);
  if (attempt !== undefined && open !== undefined) {
    const under = open.rcpts.some((other) => state.recipients[other]!.status === 'attempting');
    if (!under) state.open.delete(attempt);
  }
  return recipient;
}

/**
 * Characters of each failure's report that a bounce quotes. A report has up to 5,000 (qmail-remote.c);
 * ten thousand of those would be a bounce of 50 MB, made in memory.
 */
const reportRoom = (recipients: number): number =>
  Math.max(500, Math.floor(reportRoomOfAll / recipients));
const reportRoomOfAll = 4_194_304;

const clipped = (text: string, room: number): string =>
  text.length <= room ? text : `${text.slice(0, room).toWellFormed()} [...]\n`;
