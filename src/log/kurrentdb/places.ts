/**
 * Positions that the event store has given us, few of many. It refuses to read from any other, and a person
 * (or a search by halves) may ask for any: then the nearest one before is where to begin.
 */
import { logStart, type Position } from '../ports.ts';

const most = 4_096;

export class Places {
  #known: Position[] = [];

  note(position: Position): void {
    const at = this.#firstAbove(position);
    if (this.#known[at - 1] === position) return;
    this.#known.splice(at, 0, position);
    // Every other one is as good, and reading a little more does no harm.
    if (this.#known.length > most) this.#known = this.#known.filter((_, index) => index % 2 === 0);
  }

  has(position: Position): boolean {
    return this.#known[this.#firstAbove(position) - 1] === position;
  }

  /** The last known at or before it. */
  before(position: Position): Position {
    return this.#known[this.#firstAbove(position) - 1] ?? logStart;
  }

  #firstAbove(position: Position): number {
    let low = 0;
    let high = this.#known.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#known[middle]! <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
