/**
 * Whom we think dead. Silence is counted on our own clock, and only while our own beats come back to us
 * through the same subscription: after an outage of the log everybody's count starts at zero, so there is no
 * mass takeover. Being wrong does no harm: a late beat and the take exclude each other in the log.
 *
 * Everything happens when a beat of our own comes back; there is no timer.
 */
import type { Moment } from '../platform/clock.ts';
import type { Incarnation, WhyTaken } from './events.ts';
import { living, type Lease, type Leases } from './leases.ts';

/** As it stood when it was suspected: whatever is said on it from then on clears it. */
export type Suspect = {
  readonly lease: Readonly<Pick<Lease, 'incarnation' | 'revision' | 'fenced'>>;
  readonly why: WhyTaken;
};

export const suspect = ({ incarnation, revision, fenced }: Lease, why: WhyTaken): Suspect => ({
  lease: { incarnation, revision, ...(fenced && { fenced }) },
  why,
});

export class Suspicion {
  readonly #self: Incarnation;
  readonly #beatMs: number;
  /** How long the log has served us, as far as we can vouch for it; milliseconds. */
  #served = 0;
  #lastOwn: Moment | undefined;
  /** What `#served` was when each was last heard of. */
  readonly #heard = new Map<Incarnation, number>();

  constructor(self: Incarnation, beatMs: number) {
    this.#self = self;
    this.#beatMs = beatMs;
  }

  /** An event of that lease has come through the subscription. */
  heard(incarnation: Incarnation, now: Moment): void {
    if (incarnation === this.#self) this.#ownBeat(now);
    else this.#heard.set(incarnation, this.#served + Math.max(0, now - (this.#lastOwn ?? now)));
  }

  #ownBeat(now: Moment): void {
    const since = this.#lastOwn === undefined ? Infinity : now - this.#lastOwn;
    this.#lastOwn = now;
    // Two periods: one beat may be late. A clock that was set back vouches for nothing either.
    if (since >= 0 && since <= 2 * this.#beatMs) this.#served += since;
    else for (const incarnation of this.#heard.keys()) this.#heard.set(incarnation, this.#served);
  }

  /** Those to be taken now, by us. */
  suspects(leases: Leases): readonly Suspect[] {
    for (const incarnation of this.#heard.keys()) {
      if (leases.get(incarnation)?.status === 'taken') this.#heard.delete(incarnation);
    }
    const rank = rankOf(leases, this.#self);
    return [...leases.values()].flatMap((lease): Suspect[] => {
      const { incarnation, status, ttlMs } = lease;
      if (incarnation === this.#self || status === 'taken') return [];
      const silence = this.silenceOf(incarnation);
      // Whoever has least to do takes what has ended at once; the next waits two beats for it.
      if (status === 'closed' || status === 'gone')
        return silence >= rank * 2 * this.#beatMs ? [suspect(lease, status)] : [];
      const patience = ttlMs + jitter(incarnation, this.#self, 2 * this.#beatMs);
      return silence > patience ? [suspect(lease, 'silent')] : [];
    });
  }

  /** How long nothing was heard on that lease; milliseconds of our own clock. */
  silenceOf(incarnation: Incarnation): number {
    const heard = this.#heard.get(incarnation);
    if (heard !== undefined) return this.#served - heard;
    this.#heard.set(incarnation, this.#served);
    return 0;
  }
}

/** 0: has the fewest letters, among those that are open. */
function rankOf(leases: Leases, self: Incarnation): number {
  const open = living(leases)
    .filter(({ status }) => status === 'open')
    .sort((a, b) => a.letters - b.letters || (a.incarnation < b.incarnation ? -1 : 1));
  const rank = open.findIndex(({ incarnation }) => incarnation === self);
  return rank < 0 ? open.length : rank;
}

/** From 0 to below `span`, always the same for the same two: so that not all rush at once (FNV-1a). */
function jitter(lease: Incarnation, self: Incarnation, span: number): number {
  let hash = 0x811c9dc5;
  for (const char of `${lease} ${self}`) {
    hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193) >>> 0;
  }
  return (hash / 2 ** 32) * span;
}
