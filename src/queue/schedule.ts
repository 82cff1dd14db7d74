/**
 * When to try again, and when to give up (qmail-send.c nextretry): ever more seldom, on a parabola,
 * so that a letter's k-th try falls 100 k² s (local) or 400 k² s (remote) after its birth.
 */
import type { Instant } from '../platform/clock.ts';
import type { ChannelName } from './ports.ts';

/** By how many steps the square root of the age moves on. */
const skips: { readonly [C in ChannelName]: number } = { local: 10, remote: 20 };

/** What qmail-send adds to the report of a deferral that came too late; one line, LF at its end. */
export const tooLongInQueue =
  "I'm not going to try again; this message has been in the queue too long.\n";

/** Whole seconds; a birth in the future (a clock set back) counts as now. */
const ageInSeconds = (birth: Instant, now: Instant): number =>
  Math.max(0, Math.floor((now - birth) / 1000));

/**
 * When a recipient deferred by the attempt that began at `startedAt` is due again:
 * `birth + (⌊√age⌋ + skip)²` s, always later than the attempt.
 */
export function nextAttempt(birth: Instant, startedAt: Instant, channel: ChannelName): Instant {
  const step = Math.floor(Math.sqrt(ageInSeconds(birth, startedAt))) + skips[channel];
  return birth + step * step * 1000;
}

/** Whether an attempt that begins at `now` is the last: a deferral is then a failure. */
export const isExpired = (birth: Instant, now: Instant, lifetimeSeconds: number): boolean =>
  ageInSeconds(birth, now) > lifetimeSeconds;
