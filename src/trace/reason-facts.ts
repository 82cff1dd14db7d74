/** What a letter's events say of one of its recipients: a fold, and nothing concluded from it yet. */
import type { Position, RecordedEvent } from '../log/ports.ts';
import type { Address, MessageId, RecipientNo } from '../mail/envelope.ts';
import type { LinesDone } from '../mail/lines-done.ts';
import type { Reached } from '../mail/reached.ts';
import type { Reply } from '../mail/verdict.ts';
import type { Instant } from '../platform/clock.ts';
import type { ByHand, QueueEvent, Route } from '../queue/events.ts';

export type HandAt = ByHand & { readonly at: Instant };

export type LastVerdict = {
  readonly kind: 'delivered' | 'deferred' | 'failed';
  readonly attempt: number;
  readonly at: Instant;
  readonly startedAt: Instant;
  readonly reply: Reply;
  readonly doubt: boolean;
  readonly expired: boolean;
  /** What the lines of the dot-qmail file did. */
  readonly lines?: LinesDone;
  /** How the far side was found, where that is on record. */
  readonly reached?: Reached;
  /** Letters that it was forwarded as. */
  readonly children?: readonly MessageId[];
};

/** One attempt for the recipient: when it could have begun, when it did, and what for. */
export type Started = {
  readonly attempt: number;
  readonly at: Instant;
  readonly position: Position;
  readonly why: 'first' | 'retry' | 'asked';
  /** The letter was past `queuelifetime`: a deferral counts as a failure. */
  readonly last: boolean;
  /** Since when it could have begun. */
  readonly dueAt: Instant;
  /** Where in the log that stands. */
  readonly duePosition: Position;
  readonly askedBy?: ByHand;
  readonly route: Route | undefined;
};

export type DueBy = 'schedule' | 'first' | 'hand' | 'doubt';

export type Bounced = {
  readonly owedSince: Instant;
  /** Recipients that failed, this one among them or not. */
  readonly failed: readonly RecipientNo[];
  readonly kind?: 'bounce' | 'double-bounce';
  readonly to?: Address;
  readonly child?: MessageId;
  readonly discarded?: string;
  readonly madeAt?: Instant;
};

export type Facts = {
  route: Route | undefined;
  controls: string | undefined;
  /** Where in the log the route was decided. */
  routedAt: Position;
  /** Verdicts, oldest first: the last `mostVerdicts` of them. */
  verdicts: LastVerdict[];
  starts: Started[];
  held: HandAt | undefined;
  /** Times on hold that are over. */
  holds: (ByHand & { readonly from: Instant; readonly to: Instant })[];
  cancelled: HandAt | undefined;
  redirected: (HandAt & { readonly to: Address }) | undefined;
  /** Who or what set the due time last, and where in the log that stands. */
  due: { by: DueBy; at: Instant; hand?: ByHand; position: Position };
  bounced: Bounced | undefined;
  doneAt: Instant | undefined;
};

/** A letter that waited for a week has some thirty; an operator's script could make any number. */
const mostVerdicts = 200;

type Recorded = RecordedEvent & QueueEvent;

export function factsOf(rcpt: RecipientNo, events: readonly RecordedEvent[]): Facts {
  const facts: Facts = {
    ...{ route: undefined, controls: undefined, routedAt: 0, verdicts: [], starts: [] },
    ...{ held: undefined, holds: [], cancelled: undefined, redirected: undefined },
    ...{ bounced: undefined, doneAt: undefined, due: { by: 'first', at: 0, position: 0 } },
  };
  const ways = new Map<number, Reached>();
  for (const event of events as readonly Recorded[]) {
    noteWay(ways, event);
    note(facts, rcpt, event, ways);
  }
  return facts;
}

/** The first recipient of a transaction has it; those after it, up to the next, came the same way. */
function noteWay(ways: Map<number, Reached>, { type, data }: Recorded): void {
  if (!isVerdict(type)) return;
  const { attempt, reached } = data as VerdictData;
  if (reached !== undefined) ways.set(attempt, reached);
}

type Verdicts = Extract<
  QueueEvent,
  { type: 'RecipientDelivered' | 'RecipientDeferred' | 'RecipientFailed' }
>;
type VerdictData = Verdicts['data'];

const isVerdict = (type: string): boolean =>
  type === 'RecipientDelivered' || type === 'RecipientDeferred' || type === 'RecipientFailed';

function note(
  facts: Facts,
  rcpt: RecipientNo,
  event: Recorded,
  ways: ReadonlyMap<number, Reached>,
): void {
  const { at, position } = event;
  switch (event.type) {
    case 'MessageQueued':
      facts.route = event.data.routes[rcpt];
      facts.controls = event.data.controls;
      facts.routedAt = position;
      facts.due = { by: 'first', at, position };
      break;
    case 'AttemptStarted':
      noteStart(facts, rcpt, event);
      break;
    case 'RecipientDelivered':
    case 'RecipientDeferred':
    case 'RecipientFailed': {
      if (event.data.rcpt !== rcpt) break;
      facts.verdicts.push(toVerdict(event, ways.get(event.data.attempt)));
      if (facts.verdicts.length > mostVerdicts) facts.verdicts.shift();
      if (event.type !== 'RecipientDeferred') break;
      const { doubt, dueAt } = event.data;
      const by = doubt === true && dueAt === at ? 'doubt' : 'schedule';
      facts.due = { by, at: dueAt, position };
      break;
    }
    case 'RetryRequested':
      if (event.data.rcpts.includes(rcpt))
        facts.due = { by: 'hand', at, hand: event.data, position };
      break;
    case 'RecipientRedirected':
      if (event.data.rcpt !== rcpt) break;
      facts.due = { by: 'hand', at, hand: event.data, position };
      facts.redirected = { by: event.data.by, why: event.data.why, at, to: event.data.to };
      break;
    case 'RecipientCancelled':
      if (event.data.rcpt === rcpt)
        facts.cancelled = { by: event.data.by, why: event.data.why, at };
      break;
    case 'MessageHeld':
      facts.held = { by: event.data.by, why: event.data.why, at };
      break;
    case 'MessageReleased':
      if (facts.held !== undefined) {
        const { by, why, at: from } = facts.held;
        facts.holds.push({ by, why, from, to: at });
      }
      facts.held = undefined;
      break;
    case 'MessageSettled':
      facts.bounced = { owedSince: at, failed: event.data.failed };
      break;
    case 'BounceQueued':
      if (facts.bounced) facts.bounced = { ...facts.bounced, ...event.data, madeAt: at };
      break;
    case 'BounceDiscarded':
      if (facts.bounced)
        facts.bounced = { ...facts.bounced, discarded: event.data.why, madeAt: at };
      break;
    case 'MessageCleanedUp':
      facts.doneAt = at;
      break;
    default:
  }
}

function noteStart(
  facts: Facts,
  rcpt: RecipientNo,
  { at, position, data }: Extract<Recorded, { type: 'AttemptStarted' }>,
): void {
  const index = data.rcpts.indexOf(rcpt);
  if (index === -1) return;
  facts.route = data.routes[index];
  facts.controls = data.controls;
  facts.routedAt = position;
  const { hand } = facts.due;
  facts.starts.push({
    ...{ attempt: data.attempt, at, position, why: data.why, last: data.last },
    ...{ dueAt: facts.due.at, duePosition: facts.due.position, route: data.routes[index] },
    ...(hand === undefined ? {} : { askedBy: { by: hand.by, why: hand.why } }),
  });
  if (facts.starts.length > mostVerdicts) facts.starts.shift();
}

function toVerdict({ type, at, data }: Verdicts, way: Reached | undefined): LastVerdict {
  const { attempt, startedAt, reply, lines } = data;
  const kind =
    type === 'RecipientDelivered'
      ? 'delivered'
      : type === 'RecipientDeferred'
        ? 'deferred'
        : 'failed';
  return {
    ...{ kind, attempt, at, startedAt, reply },
    doubt: 'doubt' in data && data.doubt === true,
    expired: 'expired' in data && data.expired === true,
    ...(lines === undefined ? {} : { lines }),
    ...(way === undefined ? {} : { reached: way }),
    ...('children' in data && data.children !== undefined ? { children: data.children } : {}),
  };
}
