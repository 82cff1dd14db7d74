/**
 * The decision behind a recipient's present state: which rule routed it, what was said last, why the
 * next attempt falls when it falls, what it waits for. Pure: events and the rules of the day come in.
 */
import { settings } from '../control/settings.ts';
import type { RecordedEvent } from '../log/ports.ts';
import type { Address, MessageId, RecipientNo } from '../mail/envelope.ts';
import type { Reply } from '../mail/verdict.ts';
import type { Instant } from '../platform/clock.ts';
import type { ByHand, QueueEvent, Route } from '../queue/events.ts';
import type { ChannelName } from '../queue/ports.ts';
import { isExpired, nextAttempt } from '../queue/schedule.ts';
import { evolve, initial, type QueueState, type RecipientStatus } from '../queue/state.ts';
import { linesOf, type NodeHistory, type RuleLine } from './rules-of-the-day.ts';

export type Reason = {
  readonly message: MessageId;
  readonly recipient: RecipientNo;
  readonly address: Address;
  readonly status: RecipientStatus;
  readonly route:
    | (Route & {
        readonly controls: string;
        readonly loadedAt?: Instant;
        readonly lines: readonly RuleLine[];
      })
    | undefined;
  readonly attempts: number;
  readonly last: LastVerdict | undefined;
  readonly attempting:
    | { readonly attempt: number; readonly startedAt: Instant; readonly untilAt: Instant }
    | undefined;
  readonly schedule: Schedule | undefined;
  readonly lifetime: Lifetime | undefined;
  readonly held: (ByHand & { readonly at: Instant }) | undefined;
  readonly cancelled: (ByHand & { readonly at: Instant }) | undefined;
  /** What the letter as a whole still owes, or when it ended. */
  readonly end: {
    readonly settledAt?: Instant;
    readonly bounce?: string;
    readonly doneAt?: Instant;
  };
  readonly waitsFor: WaitsFor;
};

export type LastVerdict = {
  readonly kind: 'delivered' | 'deferred' | 'failed';
  readonly attempt: number;
  readonly at: Instant;
  readonly startedAt: Instant;
  readonly reply: Reply;
  readonly doubt: boolean;
  readonly expired: boolean;
};

/** `birth + (⌊√age⌋ + skip)²`, when the due time comes from it; else who or what set it. */
export type Schedule = {
  readonly dueAt: Instant;
  readonly by: 'schedule' | 'first' | 'hand' | 'doubt';
  readonly birth: Instant;
  readonly askedBy?: ByHand;
  readonly arithmetic?: {
    readonly channel: ChannelName;
    readonly ageSeconds: number;
    readonly root: number;
    readonly skip: number;
    readonly dueAgeSeconds: number;
  };
};

export type Lifetime = {
  readonly seconds: number;
  readonly leftSeconds: number;
  /** The next attempt is the last: a deferral will count as a failure. */
  readonly nextIsLast: boolean;
};

export type WaitsFor = 'operator' | 'verdict' | 'clock' | 'slot' | 'engine' | 'bounce' | 'nothing';

export type Situation = {
  readonly message: MessageId;
  readonly events: readonly RecordedEvent[];
  readonly history: NodeHistory;
  readonly now: Instant;
  /** Whether an engine runs on this log; `undefined`: nobody knows. */
  readonly engineRuns: boolean | undefined;
};

export type LetterState = {
  readonly state: QueueState;
  /** The envelope as it was accepted. */
  readonly envelope: readonly Address[];
};

export function foldLetter(events: readonly RecordedEvent[]): LetterState {
  const state = initial();
  let envelope: readonly Address[] = [];
  for (const event of events as readonly (RecordedEvent & QueueEvent)[]) {
    if (event.type === 'MessageAccepted') envelope = event.data.envelope.recipients;
    evolve(state, event);
  }
  return { state, envelope };
}

/** Why recipient `rcpt` of the letter is where it is. */
export function reasonOf(rcpt: RecipientNo, situation: Situation, state: QueueState): Reason {
  const { message, history } = situation;
  const facts = factsOf(rcpt, situation.events as readonly (RecordedEvent & QueueEvent)[]);
  const recipient = state.recipients[rcpt]!;
  const { route, controls } = facts;
  const rules = controls === undefined ? undefined : history.rules.get(controls);
  const schedule =
    recipient.status === 'waiting' ? scheduleOf(facts, state, history, rcpt) : undefined;
  const open = [...state.open].find(
    ([, { rcpts }]) => recipient.status === 'attempting' && rcpts.includes(rcpt),
  );
  return {
    ...{ message, recipient: rcpt, address: recipient.address, status: recipient.status },
    route:
      route === undefined
        ? undefined
        : {
            ...route,
            controls: controls ?? '',
            ...(rules === undefined ? {} : { loadedAt: rules.at }),
            lines: linesOf(route.rule, rules?.files),
          },
    attempts: recipient.tries,
    last: facts.last,
    attempting:
      open === undefined
        ? undefined
        : { attempt: open[0], startedAt: open[1].startedAt, untilAt: open[1].untilAt },
    schedule,
    lifetime: lifetimeOf(schedule, state, situation),
    held: state.held ? facts.held : undefined,
    cancelled: facts.cancelled,
    end: facts.end,
    waitsFor: waitsFor(recipient.status, state, schedule, situation),
  };
}

type Facts = {
  route: Route | undefined;
  controls: string | undefined;
  last: LastVerdict | undefined;
  held: (ByHand & { at: Instant }) | undefined;
  cancelled: (ByHand & { at: Instant }) | undefined;
  /** Who or what set the due time last, and where in the log that stands. */
  dueBy: { by: Schedule['by']; hand?: ByHand; position: number };
  end: { settledAt?: Instant; bounce?: string; doneAt?: Instant };
};

function factsOf(rcpt: RecipientNo, events: readonly (RecordedEvent & QueueEvent)[]): Facts {
  const facts: Facts = {
    ...{ route: undefined, controls: undefined, last: undefined },
    ...{ held: undefined, cancelled: undefined, end: {} },
    dueBy: { by: 'first', position: 0 },
  };
  for (const event of events) note(facts, rcpt, event);
  return facts;
}

function note(facts: Facts, rcpt: RecipientNo, event: RecordedEvent & QueueEvent): void {
  const { at, position } = event;
  switch (event.type) {
    case 'MessageQueued':
      facts.route = event.data.routes[rcpt];
      facts.controls = event.data.controls;
      facts.dueBy = { by: 'first', position };
      break;
    case 'AttemptStarted': {
      const index = event.data.rcpts.indexOf(rcpt);
      if (index === -1) break;
      facts.route = event.data.routes[index];
      facts.controls = event.data.controls;
      break;
    }
    case 'RecipientDelivered':
    case 'RecipientDeferred':
    case 'RecipientFailed': {
      if (event.data.rcpt !== rcpt) break;
      facts.last = toVerdict(event);
      if (event.type !== 'RecipientDeferred') break;
      facts.dueBy = {
        by: event.data.doubt === true && event.data.dueAt === at ? 'doubt' : 'schedule',
        position,
      };
      break;
    }
    case 'RetryRequested':
      if (event.data.rcpts.includes(rcpt)) facts.dueBy = { by: 'hand', hand: event.data, position };
      break;
    case 'RecipientRedirected':
      if (event.data.rcpt === rcpt) facts.dueBy = { by: 'hand', hand: event.data, position };
      break;
    case 'RecipientCancelled':
      if (event.data.rcpt === rcpt)
        facts.cancelled = { by: event.data.by, why: event.data.why, at };
      break;
    case 'MessageHeld':
      facts.held = { by: event.data.by, why: event.data.why, at };
      break;
    case 'MessageSettled':
      facts.end.settledAt = at;
      break;
    case 'BounceQueued':
      facts.end.bounce = event.data.child;
      break;
    case 'MessageCleanedUp':
      facts.end.doneAt = at;
      break;
    default:
  }
}

type Verdicts = Extract<
  QueueEvent,
  { type: 'RecipientDelivered' | 'RecipientDeferred' | 'RecipientFailed' }
>;

function toVerdict({ type, at, data }: Verdicts): LastVerdict {
  const { attempt, startedAt, reply } = data;
  const kind =
    type === 'RecipientDelivered'
      ? 'delivered'
      : type === 'RecipientDeferred'
        ? 'deferred'
        : 'failed';
  const doubt = 'doubt' in data && data.doubt === true;
  const expired = 'expired' in data && data.expired === true;
  return { kind, attempt, at, startedAt, reply, doubt, expired };
}

function scheduleOf(
  facts: Facts,
  state: QueueState,
  { retryAll }: NodeHistory,
  rcpt: RecipientNo,
): Schedule {
  const { birth } = state;
  const { dueAt } = state.recipients[rcpt]!;
  const { by, hand, position } = facts.dueBy;
  if (retryAll !== undefined && retryAll.position > position && retryAll.at < dueAt) {
    const { at, by: who, why } = retryAll;
    return { dueAt: at, by: 'hand', birth, askedBy: { by: who, why } };
  }
  const asked = hand === undefined ? {} : { askedBy: { by: hand.by, why: hand.why } };
  const { last, route } = facts;
  if (by !== 'schedule' || last === undefined || route === undefined) {
    return { dueAt, by, birth, ...asked };
  }
  return { dueAt, by, birth, arithmetic: arithmeticOf(birth, last.startedAt, route.channel) };
}

/** The same sum as `nextAttempt`, with its parts named. */
export function arithmeticOf(
  birth: Instant,
  startedAt: Instant,
  channel: ChannelName,
): NonNullable<Schedule['arithmetic']> {
  const ageSeconds = Math.max(0, Math.floor((startedAt - birth) / 1000));
  const root = Math.floor(Math.sqrt(ageSeconds));
  const dueAgeSeconds = (nextAttempt(birth, startedAt, channel) - birth) / 1000;
  return { channel, ageSeconds, root, skip: Math.sqrt(dueAgeSeconds) - root, dueAgeSeconds };
}

/** By the control files that the engine would use now: the newest that were loaded. */
function lifetimeOf(
  schedule: Schedule | undefined,
  { birth }: QueueState,
  { history, now }: Situation,
): Lifetime | undefined {
  if (schedule === undefined || history.newest === undefined) return undefined;
  const text = history.newest.files['queuelifetime'];
  const { value: seconds } = settings.queuelifetime.value(text, {
    me: undefined,
    file: 'queuelifetime',
  });
  const leftSeconds = Math.max(0, seconds - Math.max(0, Math.floor((now - birth) / 1000)));
  const nextIsLast = isExpired(birth, Math.max(now, schedule.dueAt), seconds);
  return { seconds, leftSeconds, nextIsLast };
}

function waitsFor(
  status: RecipientStatus,
  state: QueueState,
  schedule: Schedule | undefined,
  { now, engineRuns }: Situation,
): WaitsFor {
  if (status === 'attempting') return engineRuns === false ? 'engine' : 'verdict';
  if (status !== 'waiting')
    return state.settledAt !== undefined && !state.done ? 'bounce' : 'nothing';
  if (state.held) return 'operator';
  if (schedule !== undefined && schedule.dueAt > now) return 'clock';
  return engineRuns === false ? 'engine' : 'slot';
}
