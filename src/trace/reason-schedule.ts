/** Why the next attempt falls when it falls: the sum of the schedule with its numbers, and the letter's lifetime. */
import { settings } from '../control/settings.ts';
import type { RecipientNo } from '../mail/envelope.ts';
import type { Instant } from '../platform/clock.ts';
import type { ByHand } from '../queue/events.ts';
import type { ChannelName } from '../queue/ports.ts';
import { isExpired, nextAttempt } from '../queue/schedule.ts';
import type { QueueState } from '../queue/state.ts';
import type { DueBy, Facts } from './reason-facts.ts';
import { lineOfValue, retryAllSince, type NodeHistory } from './rules-of-the-day.ts';
import type { RuleLine } from './rules-of-the-day.ts';

/** `birth + (⌊√age⌋ + skip)²`, when the due time comes from it; else who or what set it. */
export type Schedule = {
  readonly dueAt: Instant;
  readonly by: DueBy;
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
  /** The line that says so. */
  readonly line: RuleLine;
};

export function scheduleOf(
  facts: Facts,
  state: QueueState,
  history: NodeHistory,
  rcpt: RecipientNo,
): Schedule {
  const { birth } = state;
  const { dueAt } = state.recipients[rcpt]!;
  const { by, hand, position } = facts.due;
  const all = retryAllSince(history, { at: dueAt, position });
  if (all !== undefined) {
    return { dueAt: all.at, by: 'hand', birth, askedBy: { by: all.by, why: all.why } };
  }
  const asked = hand === undefined ? {} : { askedBy: { by: hand.by, why: hand.why } };
  const last = facts.verdicts.at(-1);
  const { route } = facts;
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
export function lifetimeOf(
  schedule: Schedule | undefined,
  { birth }: QueueState,
  { newest }: NodeHistory,
  now: Instant,
): Lifetime | undefined {
  if (schedule === undefined || newest === undefined) return undefined;
  const text = newest.files['queuelifetime'];
  const { value: seconds } = settings.queuelifetime.value(text, {
    me: undefined,
    file: 'queuelifetime',
  });
  const leftSeconds = Math.max(0, seconds - Math.max(0, Math.floor((now - birth) / 1000)));
  const nextIsLast = isExpired(birth, Math.max(now, schedule.dueAt), seconds);
  const line = lineOfValue('queuelifetime', newest.files, `${seconds} seconds`);
  return { seconds, leftSeconds, nextIsLast, line };
}
