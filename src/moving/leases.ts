/**
 * Streams whose old events may go: they are counted anew at the target, and their last events must be there.
 */
import { mayBeGone } from '../log/known-event.ts';
import type { EventText, Revision, StreamName } from '../log/ports.ts';
import { Trouble } from '../mail/trouble.ts';
import { safeLine } from '../mail/sanitize.ts';
import { isSame } from './compare.ts';

/** The last event of each such stream. */
export class Ends {
  readonly #last = new Map<StreamName, EventText>();

  note(event: EventText): void {
    if (mayBeGone(event.stream)) this.#last.set(event.stream, event);
  }

  /** Throws `refused` for one that is not the same there. */
  refuseOthers(there: Ends): void {
    for (const [stream, ours] of this.#last) {
      const theirs = there.#last.get(stream);
      if (theirs !== undefined && isSame(ours, theirs)) continue;
      const detail = `${safeLine(stream, 120)} does not end at the target as it does at the source`;
      throw new Trouble('refused', { tryAgain: false, peer: 'refused', detail });
    }
  }

  /** The same events, each behind the last of its stream. */
  inLine(batch: readonly EventText[]): readonly EventText[] {
    return batch.map((event) => {
      if (!mayBeGone(event.stream)) return event;
      const before: Revision = this.#last.get(event.stream)?.revision ?? -1;
      const moved = { ...event, revision: before + 1 };
      this.#last.set(event.stream, moved);
      return moved;
    });
  }
}
