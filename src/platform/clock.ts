/**
 * Time as a part: the system's, or one that a test pushes. It has two hands. The wall's tells instants, which
 * are written down, and somebody may set it at any moment, forward or back; durations go by the steady one.
 */

/** Milliseconds since 1970, UTC, by the wall's clock. */
export type Instant = number;

/** Milliseconds by a clock that nobody sets: the difference of two says how long; never written down. */
export type Moment = number;

/** Takes back what was arranged; calling it twice is harmless. */
export type Cancel = () => void;

export interface Clock {
  now(): Instant;
  steady(): Moment;
  /** Calls `run` once, `ms` from now or as soon as possible after; never before, never synchronously. */
  after(ms: number, run: () => void): Cancel;
  /** The same at an instant. A wall's clock that is set meanwhile is heeded, at the latest after a minute. */
  at(due: Instant, run: () => void): Cancel;
}

/** Node's timers hold 2^31-1 ms; longer waits are taken in stages. */
const longestTimerMs = 2 ** 31 - 1;

/** A timer does not hear of a wall's clock that was set forward. */
const lookAgainMs = 60_000;

/** Timers may ring a little early. */
function whenOver(leftMs: () => number, stageMs: number, run: () => void): Cancel {
  let timer: NodeJS.Timeout;
  const arm = () => {
    timer = setTimeout(ring, Math.min(Math.max(0, Math.ceil(leftMs())), stageMs));
  };
  const ring = () => (leftMs() > 0 ? arm() : run());
  arm();
  return () => clearTimeout(timer);
}

export const systemClock: Clock = {
  now: () => Date.now(),
  steady: () => performance.now(),
  after(ms, run) {
    const until = performance.now() + ms;
    return whenOver(() => until - performance.now(), longestTimerMs, run);
  },
  at: (due, run) => whenOver(() => due - Date.now(), lookAgainMs, run),
};

type Alarm = { readonly hand: 'wall' | 'steady'; readonly due: number; run: () => void };

/** A clock that stands still until told; for tests and replays. */
export class ManualClock implements Clock {
  #steady: Moment = 0;
  /** What the wall's hand is ahead of the steady one. */
  #ahead: number;
  #alarms: Alarm[] = [];

  constructor(start: Instant = Date.UTC(2026, 0, 1)) {
    this.#ahead = start;
  }

  now(): Instant {
    return this.#steady + this.#ahead;
  }

  steady(): Moment {
    return this.#steady;
  }

  after(ms: number, run: () => void): Cancel {
    return this.#arrange({ hand: 'steady', due: this.#steady + ms, run });
  }

  at(due: Instant, run: () => void): Cancel {
    return this.#arrange({ hand: 'wall', due, run });
  }

  /** When the next alarm is set for, as the wall's clock goes now; if any. */
  next(): Instant | undefined {
    if (this.#alarms.length === 0) return undefined;
    return Math.min(...this.#alarms.map((alarm) => this.#momentOf(alarm))) + this.#ahead;
  }

  /** Somebody sets the wall's clock. What is due by it now rings with the next push. */
  set(instant: Instant): void {
    this.#ahead = instant - this.#steady;
  }

  /** Moves both hands on by `ms`, ringing what falls due on the way, in order. */
  advance(ms: number): void {
    this.advanceTo(this.now() + ms);
  }

  advanceTo(instant: Instant): void {
    const target = instant - this.#ahead;
    for (;;) {
      const due = this.#alarms.length === 0 ? Infinity : this.next()! - this.#ahead;
      if (due > target) break;
      this.#steady = Math.max(this.#steady, due);
      const isDue = (alarm: Alarm) => this.#momentOf(alarm) <= this.#steady;
      const ringing = this.#alarms.filter(isDue);
      this.#alarms = this.#alarms.filter((alarm) => !isDue(alarm));
      ringing.sort((a, b) => this.#momentOf(a) - this.#momentOf(b));
      for (const alarm of ringing) alarm.run();
    }
    this.#steady = Math.max(this.#steady, target);
  }

  #arrange(alarm: Alarm): Cancel {
    this.#alarms.push(alarm);
    return () => {
      // One that rings in this very instant may be taken back by another.
      alarm.run = nothing;
      this.#alarms = this.#alarms.filter((other) => other !== alarm);
    };
  }

  #momentOf({ hand, due }: Alarm): Moment {
    return hand === 'steady' ? due : due - this.#ahead;
  }
}

const nothing = (): void => undefined;
