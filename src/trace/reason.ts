/**
 * The causal chain of a recipient's state, now or at any point of the past: what let it in, which rule routed it,
 * how the far side was found and what it said, why the next attempt falls when it falls, what it waits for, and
 * what became of a failure. Pure: events and the rules of the day come in.
 */
import type { RecordedEvent } from '../log/ports.ts';
import type { Address, MessageId, RecipientNo } from '../mail/envelope.ts';
import type { Instant } from '../platform/clock.ts';
import type { QueueEvent, Route } from '../queue/events.ts';
import { initial, whyPassedOver, type QueueState, type RecipientStatus } from '../queue/state.ts';
import { entryOf, versionOf, type Entry, type RulesVersion } from './reason-entry.ts';
import { factsOf, type Bounced, type Facts } from './reason-facts.ts';
import type { HandAt, LastVerdict, Started } from './reason-facts.ts';
import { lifetimeOf, scheduleOf, type Lifetime, type Schedule } from './reason-schedule.ts';
import { linesOf, lineOfValue, loadingOf, retryAllSince, rulesBefore } from './rules-of-the-day.ts';
import type { NodeHistory, RuleLine } from './rules-of-the-day.ts';
import type { SlotWait } from './slot-wait.ts';

export type Reason = {
  readonly message: MessageId;
  readonly recipient: RecipientNo;
  /** As it is now; `envelope` as it came. */
  readonly address: Address;
  readonly envelope: Address;
  readonly status: RecipientStatus;
  readonly entry: Entry | undefined;
  readonly route:
    | (Route & {
        readonly controls: string;
        readonly loadedAt?: Instant;
        readonly version?: RulesVersion;
        readonly lines: readonly RuleLine[];
      })
    | undefined;
  /** How many there were; `tried` has the verdicts on the last two hundred of them, oldest first. */
  readonly attempts: number;
  readonly tried: readonly LastVerdict[];
  readonly last: LastVerdict | undefined;
  /** The last attempt's start: since when it was due, and why it came when it came. */
  readonly started:
    | (Omit<Started, 'route' | 'position' | 'duePosition'> & { readonly waitedMs: number })
    | undefined;
  readonly attempting:
    | { readonly attempt: number; readonly startedAt: Instant; readonly untilAt: Instant }
    | undefined;
  readonly schedule: Schedule | undefined;
  readonly lifetime: Lifetime | undefined;
  readonly held: HandAt | undefined;
  /** Times on hold that are over. */
  readonly holds: Facts['holds'];
  readonly redirected: Facts['redirected'];
  readonly cancelled: HandAt | undefined;
  /** What the letter owes, or owed, for those that failed. */
  readonly bounce: (Bounced & { readonly lines: readonly RuleLine[] }) | undefined;
  /** What the letter as a whole still owes, or when it ended. */
  readonly end: {
    readonly settledAt?: Instant;
    readonly bounce?: string;
    readonly doneAt?: Instant;
  };
  /** Who held the slots while it was due: before its last attempt, or until now. Only where that was asked for. */
  readonly slots?: SlotWait;
  readonly waitsFor: WaitsFor;
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
  /** The first event that makes no sense, and was passed over: such a letter is set aside. */
  readonly odd?: string;
};

export function foldLetter(events: readonly RecordedEvent[]): LetterState {
  const state = initial();
  let envelope: readonly Address[] = [];
  let odd: string | undefined;
  for (const event of events as readonly (RecordedEvent & QueueEvent)[]) {
    const why = whyPassedOver(state, event);
    odd ??= why;
    if (why === undefined && event.type === 'MessageAccepted')
      envelope = event.data.envelope.recipients;
  }
  return { state, envelope, ...(odd === undefined ? {} : { odd }) };
}

/** Why recipient `rcpt` of the letter is where it is. */
export function reasonOf(rcpt: RecipientNo, situation: Situation, state: QueueState): Reason {
  const { message, history, events, now } = situation;
  const facts = factsOf(rcpt, events);
  const recipient = state.recipients[rcpt]!;
  const schedule =
    recipient.status === 'waiting' ? scheduleOf(facts, state, history, rcpt) : undefined;
  return {
    ...{ message, recipient: rcpt, address: recipient.address, status: recipient.status },
    envelope: envelopeOf(events)[rcpt] ?? recipient.address,
    entry: entryOf(rcpt, events, history),
    route: routeOf(facts, history),
    attempts: recipient.tries,
    tried: facts.verdicts,
    last: facts.verdicts.at(-1),
    started: startOf(facts, history),
    attempting: attemptOf(rcpt, state),
    schedule,
    lifetime: lifetimeOf(schedule, state, history, now),
    held: state.held ? facts.held : undefined,
    ...{ holds: facts.holds, redirected: facts.redirected, cancelled: facts.cancelled },
    bounce: bounceOf(facts, events, history),
    end: endOf(facts),
    waitsFor: waitsFor(recipient.status, state, schedule, situation),
  };
}

function envelopeOf(events: readonly RecordedEvent[]): readonly Address[] {
  const accepted = (events as readonly (RecordedEvent & QueueEvent)[]).find(
    ({ type }) => type === 'MessageAccepted',
  );
  return accepted?.type === 'MessageAccepted' ? accepted.data.envelope.recipients : [];
}

function routeOf({ route, controls, routedAt }: Facts, history: NodeHistory): Reason['route'] {
  if (route === undefined) return undefined;
  const rules = controls === undefined ? undefined : loadingOf(history, controls, routedAt);
  return {
    ...route,
    controls: controls ?? '',
    ...(rules === undefined ? {} : { loadedAt: rules.at, version: versionOf(rules) }),
    lines: linesOf(route.rule, rules?.files),
  };
}

function startOf({ starts }: Facts, history: NodeHistory): Reason['started'] {
  const last = starts.at(-1);
  if (last === undefined) return undefined;
  const { route: _, position, duePosition, ...started } = last;
  const all = retryAllSince(history, { at: started.dueAt, position: duePosition }, position);
  const dueAt = all?.at ?? started.dueAt;
  return {
    ...{ ...started, dueAt, waitedMs: Math.max(0, started.at - dueAt) },
    ...(all === undefined ? {} : { askedBy: { by: all.by, why: all.why } }),
  };
}

function attemptOf(rcpt: RecipientNo, state: QueueState): Reason['attempting'] {
  if (state.recipients[rcpt]?.status !== 'attempting') return undefined;
  const open = [...state.open].find(([, { rcpts }]) => rcpts.includes(rcpt));
  if (open === undefined) return undefined;
  const [attempt, { startedAt, untilAt }] = open;
  return { attempt, startedAt, untilAt };
}

/** Bounces of bounces go where two control files say; all others to the return path. */
function bounceOf(
  { bounced }: Facts,
  events: readonly RecordedEvent[],
  history: NodeHistory,
): Reason['bounce'] {
  if (bounced === undefined) return undefined;
  const made = events.find(({ type }) => type === 'BounceQueued');
  const files = made === undefined ? undefined : rulesBefore(history, made.position)?.files;
  if (bounced.kind !== 'double-bounce' || files === undefined) return { ...bounced, lines: [] };
  const [user = '', host = ''] = (bounced.to ?? '').split('@');
  return {
    ...bounced,
    lines: [
      lineOfValue('doublebounceto', files, user),
      lineOfValue('doublebouncehost', files, host),
    ],
  };
}

const endOf = ({ bounced, doneAt }: Facts): Reason['end'] => ({
  ...(bounced === undefined ? {} : { settledAt: bounced.owedSince }),
  ...(bounced?.child === undefined ? {} : { bounce: bounced.child }),
  ...(doneAt === undefined ? {} : { doneAt }),
});

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
