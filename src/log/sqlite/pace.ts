/**
 * How many appends a commit should wait for. A sync costs the same for one append as for twenty, so
 * under load a commit waits a moment for those that are sure to come; a caller who is alone never waits.
 * Pure: whoever asks brings the time (milliseconds, from any origin).
 */

export interface CommitPace {
  /** Wait until so many appends have come together, but no longer than `gatherMs`; 1: do not wait. */
  wanted(now: number): number;
  /** A commit of so many appends was made. */
  note(appends: number, now: number): void;
  readonly gatherMs: number;
}

/** How much a new figure counts against what was known. */
const weight = 0.2;
/** Commits of one or two appends are a caller or two in turn: waiting for them would only delay them. */
const crowdFrom = 2.5;
/** After such a pause nothing is known any more. */
const forgetMs = 100;

export class Pace implements CommitPace {
  readonly gatherMs: number;
  #perMs = 0;
  #crowd = 0;
  #last = -Infinity;

  constructor(gatherMs = 1) {
    this.gatherMs = gatherMs;
  }

  wanted(now: number): number {
    if (now - this.#last > forgetMs || this.#crowd < crowdFrom) return 1;
    // Never for more than there are: callers who wait for each other do not come again meanwhile.
    const coming = Math.min(this.#crowd, this.#perMs * this.gatherMs);
    return Math.max(1, Math.floor(coming));
  }

  note(appends: number, now: number): void {
    const elapsed = now - this.#last;
    this.#last = now;
    if (elapsed > forgetMs) {
      this.#perMs = 0;
      this.#crowd = appends;
      return;
    }
    this.#perMs += weight * (appends / Math.max(elapsed, 0.05) - this.#perMs);
    this.#crowd += weight * (appends - this.#crowd);
  }
}
