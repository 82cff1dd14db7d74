/**
 * Connections between letters, per next hop. The one used last is given out first, so that the others
 * grow old and go. Bounded: when full, the one that rested longest is closed.
 */
import type { Cancel, Clock, Moment } from '../../platform/clock.ts';
import type { Session } from './session.ts';

/** Resting connections over all next hops. */
export const restingAtMost = 200;

type Resting = { readonly hop: string; readonly session: Session; readonly until: Moment };

export class SessionPool {
  readonly #clock: Clock;
  /** In the order they came to rest. */
  readonly #resting = new Set<Resting>();
  readonly #byHop = new Map<string, Resting[]>();
  #sweep: Cancel | undefined;
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#resting.size;
  }

  /** A connection to use, no longer the pool's. It may have died without our hearing of it yet. */
  take(hop: string): Session | undefined {
    const now = this.#clock.steady();
    for (;;) {
      const entry = this.#byHop.get(hop)?.at(-1);
      if (entry === undefined) return undefined;
      this.#remove(entry);
      entry.session.wake();
      if (entry.session.usable && entry.until > now) return entry.session;
      entry.session.quit();
    }
  }

  /** Puts a connection to rest for `idleMs`; one that is of no more use is closed. */
  give(hop: string, session: Session, idleMs: number): void {
    if (this.#closed || !session.usable || !(idleMs > 0)) return session.quit();
    const entry: Resting = { hop, session, until: this.#clock.steady() + idleMs };
    session.rest(() => this.#remove(entry));
    this.#resting.add(entry);
    const siblings = this.#byHop.get(hop);
    if (siblings === undefined) this.#byHop.set(hop, [entry]);
    else siblings.push(entry);
    if (this.#resting.size > restingAtMost) this.#end(this.#eldest());
    // One alarm for all, not one a letter: it finds out whom it is for when it rings.
    this.#sweep ??= this.#clock.after(idleMs, () => this.#sweepNow());
  }

  /** Ends all that rest, and whatever comes to rest later. */
  close(): void {
    this.#closed = true;
    this.#sweep?.();
    this.#sweep = undefined;
    for (const entry of [...this.#resting]) this.#end(entry);
  }

  #sweepNow(): void {
    this.#sweep = undefined;
    const now = this.#clock.steady();
    for (const entry of [...this.#resting]) if (entry.until <= now) this.#end(entry);
    const soonest = Math.min(...[...this.#resting].map(({ until }) => until));
    if (this.#resting.size > 0)
      this.#sweep = this.#clock.after(soonest - now, () => this.#sweepNow());
  }

  #eldest(): Resting | undefined {
    return this.#resting.values().next().value;
  }

  #end(entry: Resting | undefined): void {
    if (entry === undefined) return;
    this.#remove(entry);
    entry.session.wake();
    entry.session.quit();
  }

  #remove(entry: Resting): void {
    if (!this.#resting.delete(entry)) return;
    const siblings = this.#byHop.get(entry.hop) ?? [];
    const left = siblings.filter((sibling) => sibling !== entry);
    if (left.length === 0) this.#byHop.delete(entry.hop);
    else this.#byHop.set(entry.hop, left);
  }
}
