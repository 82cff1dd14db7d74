/**
 * Slows guessing down: after a few wrong passwords from one network, and after many from anywhere, one waits.
 * Whoever was right before is counted apart from strangers, so that a crowd of those keeps nobody out.
 */
import { networkAt } from '../../mail/ip-address.ts';
import type { Clock, Moment } from '../../platform/clock.ts';

export type Attempts = {
  /** Milliseconds until this address may try again, without a try. */
  waitOf(address: string): number;
  /** Milliseconds until this address may try again; 0: now. A try under way counts as a wrong one until told. */
  begin(address: string): number;
  /** It was right: forgets what went before. */
  right(address: string): void;
};

export const attemptLimits = {
  /** Wrong ones in a row from one network before it waits; then the wait doubles. */
  free: 5,
  firstWaitMs: 2_000,
  longestWaitMs: 15 * 60_000,
  /**
   * Tries a minute of all strangers, and of all who were right before: each takes some 60 ms of a processor
   * and 32 MiB while it lasts.
   */
  perMinute: 300,
  networks: 1_000,
};

type Known = { readonly wrong: number; readonly until: Moment };

export function openAttempts(clock: Pick<Clock, 'steady'>, limits = attemptLimits): Attempts {
  const known = new Map<string, Known>();
  /** Whence somebody was right; the eldest first. */
  const friends = new Set<string>();
  const ofStrangers = openBudget(limits.perMinute);
  const ofFriends = openBudget(limits.perMinute);
  const waitAfter = (wrong: number): number =>
    wrong < limits.free
      ? 0
      : Math.min(limits.longestWaitMs, limits.firstWaitMs * 2 ** Math.min(wrong - limits.free, 30));
  return {
    waitOf: (address) => Math.max(0, (known.get(networkAt(address))?.until ?? 0) - clock.steady()),
    begin(address) {
      const network = networkAt(address);
      const now = clock.steady();
      const { wrong, until } = known.get(network) ?? { wrong: 0, until: 0 };
      if (now < until) return until - now;
      const waitMs = (friends.has(network) ? ofFriends : ofStrangers)(now);
      if (waitMs > 0) return waitMs;
      known.delete(network);
      known.set(network, { wrong: wrong + 1, until: now + waitAfter(wrong + 1) });
      dropEldest(known, limits.networks);
      return 0;
    },
    right(address) {
      const network = networkAt(address);
      known.delete(network);
      friends.delete(network);
      friends.add(network);
      dropEldest(friends, limits.networks);
    },
  };
}

/** Takes one of so many a minute; milliseconds until there are more, 0 when there was one. */
function openBudget(perMinute: number): (now: Moment) => number {
  let minute = 0;
  let spent = 0;
  return (now) => {
    const thisMinute = Math.floor(now / 60_000);
    if (thisMinute !== minute) [minute, spent] = [thisMinute, 0];
    if (spent >= perMinute) return (thisMinute + 1) * 60_000 - now;
    spent += 1;
    return 0;
  };
}

function dropEldest(
  of: { readonly size: number; keys(): Iterable<string>; delete(key: string): boolean },
  most: number,
): void {
  for (const eldest of of.keys()) {
    if (of.size <= most) break;
    of.delete(eldest);
  }
}
