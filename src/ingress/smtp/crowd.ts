/**
 * All who sit in a door: how many may, how many from one place, and who has to go when somebody keeps us
 * waiting too long or places run short.
 *
 * tcpserver leaves those beyond its limit waiting in the kernel, where a crowd of idle clients keeps out
 * everybody. Here nobody waits unseen: for a newcomer the one that has been idle longest goes, and when
 * all have mail under way, the newcomer hears 421 and comes again.
 */
import type { Cancel, Clock, Moment } from '../../platform/clock.ts';
import type { Patience, Patiences } from './patience.ts';

export interface Guest {
  /** Whence it comes, as far as limits are concerned (`networkOf`). */
  readonly network: string;
  /** A client of our own: not counted by network, not hurried when the door fills. */
  readonly trusted: boolean;
  /** Milliseconds by which it has overdrawn our patience; not above 0 when it has not. */
  overdrawn(patience: Patience, now: Moment): number;
  /** How long it has had nothing under way; `undefined` while it has. */
  idleMs(now: Moment): number | undefined;
  /** Must go at once. */
  dismiss(why: 'late' | 'crowded'): void;
}

export type CrowdLimits = {
  readonly most: number;
  /** From one network; 0 for any number. */
  readonly mostPerNetwork: number;
  readonly patiences: Patiences;
};

export type Admission = 'welcome' | 'full' | 'too-many-from-there';

const sweepMs = 1_000;

/** Who has been idle for less is just about to speak. */
const idleAtLeastMs = 1_000;

/** Looking through all for one to dismiss is worth it so often. */
const lookAgainMs = 100;

export class Crowd {
  #limits: CrowdLimits;
  readonly #clock: Clock;
  readonly #guests = new Set<Guest>();
  readonly #perNetwork = new Map<string, number>();
  /** Those that could go for a newcomer, the one that should go first at the end. */
  #idlers: Guest[] = [];
  #lookedAt: Moment = -Infinity;
  #sweeping: Cancel | undefined;

  constructor(limits: CrowdLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  get size(): number {
    return this.#guests.size;
  }

  /** From now on, for those who are here, too: each when its turn comes. */
  obey(limits: CrowdLimits): void {
    this.#limits = limits;
  }

  /** Whether there is a place; in a full door somebody is sent home for it, if somebody can be. */
  admits(network: string, trusted: boolean): Admission {
    const { most, mostPerNetwork } = this.#limits;
    const fromThere = trusted ? 0 : (this.#perNetwork.get(network) ?? 0);
    if (mostPerNetwork > 0 && fromThere >= mostPerNetwork) return 'too-many-from-there';
    if (this.#guests.size < most || this.#makeRoom()) return 'welcome';
    return 'full';
  }

  seat(guest: Guest): void {
    this.#guests.add(guest);
    const { network, trusted } = guest;
    if (!trusted) this.#perNetwork.set(network, (this.#perNetwork.get(network) ?? 0) + 1);
    this.#sweeping ??= this.#clock.after(sweepMs, () => this.#sweep());
  }

  /** Its place is free. Saying so twice is harmless. */
  leave(guest: Guest): void {
    if (!this.#guests.delete(guest)) return;
    const { network, trusted } = guest;
    if (!trusted) {
      const left = (this.#perNetwork.get(network) ?? 0) - 1;
      if (left > 0) this.#perNetwork.set(network, left);
      else this.#perNetwork.delete(network);
    }
    if (this.#guests.size > 0) return;
    this.#sweeping?.();
    this.#sweeping = undefined;
    this.#idlers = [];
  }

  #makeRoom(): boolean {
    const now = this.#clock.steady();
    for (;;) {
      const guest = this.#idlers.pop();
      if (guest !== undefined) {
        if (!this.#guests.has(guest) || !isIdler(guest, now)) continue;
        this.#dismiss(guest, 'crowded');
        return true;
      }
      if (now < this.#lookedAt + lookAgainMs) return false;
      this.#lookedAt = now;
      this.#idlers = [...this.#guests]
        .filter((each) => isIdler(each, now))
        .reverse()
        .sort((a, b) => Number(b.trusted) - Number(a.trusted) || a.idleMs(now)! - b.idleMs(now)!);
    }
  }

  #sweep(): void {
    const { calm, busy } = this.#limits.patiences;
    const now = this.#clock.steady();
    this.#sweeping = this.#clock.after(sweepMs, () => this.#sweep());
    for (const guest of this.#guests) {
      if (guest.overdrawn(calm, now) > 0) this.#dismiss(guest, 'late');
    }
    const tooMany = this.#guests.size - Math.floor((this.#limits.most * 3) / 4);
    if (tooMany <= 0) return;
    const slow = [...this.#guests]
      .filter((guest) => !guest.trusted)
      .map((guest) => ({ guest, over: guest.overdrawn(busy, now) }))
      .filter(({ over }) => over > 0)
      .sort((a, b) => b.over - a.over);
    for (const { guest } of slow.slice(0, tooMany)) this.#dismiss(guest, 'crowded');
  }

  #dismiss(guest: Guest, why: 'late' | 'crowded'): void {
    this.leave(guest);
    guest.dismiss(why);
  }
}

const isIdler = (guest: Guest, now: Moment): boolean => (guest.idleMs(now) ?? 0) >= idleAtLeastMs;
