/** Slows guessing down: after a few wrong passwords from one address, and after many from anywhere, one waits. */
import type { Clock, Instant } from '../../platform/clock.ts';

export type Attempts = {
  /** Milliseconds until this address may try again, without a try. */
  waitOf(address: string): number;
  /** Milliseconds until this address may try again; 0: now. A try under way counts as a wrong one until told. */
  begin(address: string): number;
  /** It was right: forgets what went before. */
  right(address: string): void;
};

export const attemptLimits = {
  /** Wrong ones in a row from one address before it waits; then the wait doubles. */
  free: 5,
  firstWaitMs: 2_000,
  longestWaitMs: 15 * 60_000,
  /** Tries a minute from all addresses: each takes tens of milliseconds and 32 MiB. */
  perMinute: 60,
  addresses: 1_000,
};

export function openAttempts(clock: Pick<Clock, 'now'>, limits = attemptLimits): Attempts {
  const known = new Map<string, { wrong: number; until: Instant }>();
  let minute = 0;
  let inMinute = 0;
  const waitAfter = (wrong: number): number =>
    wrong < limits.free
      ? 0
      : Math.min(limits.longestWaitMs, limits.firstWaitMs * 2 ** Math.min(wrong - limits.free, 30));
  return {
    waitOf: (address) => Math.max(0, (known.get(address)?.until ?? 0) - clock.now()),
    begin(address) {
      const now = clock.now();
      const { wrong, until } = known.get(address) ?? { wrong: 0, until: 0 };
      if (now < until) return until - now;
      const thisMinute = Math.floor(now / 60_000);
      if (thisMinute !== minute) [minute, inMinute] = [thisMinute, 0];
      if (inMinute >= limits.perMinute) return (thisMinute + 1) * 60_000 - now;
      inMinute += 1;
      known.delete(address);
      known.set(address, { wrong: wrong + 1, until: now + waitAfter(wrong + 1) });
      for (const oldest of known.keys()) {
        if (known.size <= limits.addresses) break;
        known.delete(oldest);
      }
      return 0;
    },
    right: (address) => void known.delete(address),
  };
}
