/**
 * Time as a part: the system's, or one that a test pushes.
 * Instants are milliseconds since 1970, UTC.
 */

/** Milliseconds since 1970, UTC. */
export type Instant = number;

/** Takes back what was arranged; calling it twice is harmless. */
export type Cancel = () => void;

export interface Clock {
  now(): Instant;
  /** Calls `run` once, at `due` or as soon as possible after; never before, never synchronously. */
  at(due: Instant, run: () => void): Cancel;
}

/** Node's timers hold 2^31-1 ms; longer waits are taken in stages. */
const longestTimerMs = 2 ** 31 - 1;

const timedBy = (now: () => Instant): Clock => ({
  now,
  at(due, run) {
    let timer: NodeJS.Timeout;
    const arm = () => {
      timer = setTimeout(ring, Math.min(Math.max(0, due - now()), longestTimerMs));
    };
    // A timer may ring a little early, and the clock may have been set back meanwhile.
    const ring = () => (now() < due ? arm() : run());
    arm();
    return () => clearTimeout(timer);
  },
});

export const systemClock: Clock = timedBy(() => Date.now());

/** Goes on evenly from the start of the process, however the machine's clock is set meanwhile. */
export const steadyClock: Clock = timedBy(() =>
  Math.floor(performance.timeOrigin + performance.now()),
);

/** A clock that stands still until told; for tests and replays. */
export class ManualClock implements Clock {
  #now: Instant;
  #alarms: { due: Instant; run: () => void }[] = [];

  constructor(start: Instant = Date.UTC(2026, 0, 1)) {
    this.#now = start;
  }

  now(): Instant {
    return this.#now;
  }

  at(due: Instant, run: () => void): Cancel {
    const alarm = { due, run };
    this.#alarms.push(alarm);
    return () => {
      // One that rings in this very instant may be taken back by another.
      alarm.run = nothing;
      this.#alarms = this.#alarms.filter((other) => other !== alarm);
    };
  }

  /** When the next alarm is set for, if any. */
  next(): Instant | undefined {
    return this.#alarms.length === 0 ? undefined : Math.min(...this.#alarms.map(({ due }) => due));
  }

  /** Moves on by `ms`, ringing what falls due on the way, in order. */
  advance(ms: number): void {
    this.advanceTo(this.#now + ms);
  }

  advanceTo(instant: Instant): void {
    for (;;) {
      const due = this.next();
      if (due === undefined || due > instant) break;
      this.#now = Math.max(this.#now, due);
      const ringing = this.#alarms.filter((alarm) => alarm.due <= this.#now);
      this.#alarms = this.#alarms.filter((alarm) => alarm.due > this.#now);
      for (const alarm of ringing.sort((a, b) => a.due - b.due)) alarm.run();
    }
    this.#now = Math.max(this.#now, instant);
  }
}

const nothing = (): void => undefined;
