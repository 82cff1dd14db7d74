/** The agenda of the present, as whoever keeps the history has it: asked without folding anything a second time. */
import type { Agenda } from '../../projections/agenda.ts';
import type { Position } from '../log/ports.ts';
import type { Instant } from '../platform/clock.ts';
import { firstDue } from '../trace/queue-rows.ts';
import type { QueueAnswer } from './ports.ts';

/** What is there only while it is complete, and not let go of. */
export type Present = {
  readonly agenda: Agenda;
  /** Of the last event folded in. */
  readonly position: Position;
  /** Of the last event heard, which may be none of a letter's. */
  readonly heard: Position;
};

/** Whoever follows a file hears of a commit within its poll. */
const patienceMs = 500;
const lookMs = 20;

export class LiveAgenda {
  #present: Present | undefined;

  /** `undefined`: there is none from now on. */
  tell(present: Present | undefined): void {
    this.#present = present;
  }

  /** Resolves when it has heard of `head`, or a little later without, or at once where nobody keeps one. */
  async upTo(head: Position): Promise<void> {
    const until = performance.now() + patienceMs;
    while (this.#present !== undefined && this.#present.heard < head) {
      if (performance.now() > until) return;
      await new Promise((resolve) => setTimeout(resolve, lookMs));
    }
  }

  /** `undefined`: nobody keeps one now. */
  queueAt(now: Instant, limit: number): QueueAnswer | undefined {
    if (this.#present === undefined) return undefined;
    const { agenda, position } = this.#present;
    const { rows, counts } = firstDue(agenda, now, limit);
    return { position, now, rows, counts, owing: [...agenda.owing] };
  }
}
