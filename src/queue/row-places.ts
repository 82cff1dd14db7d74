/** Where the scheduler has put each row of the agenda. */
import type { Row } from '../../projections/agenda-rows.ts';

/**
 * `ahead`: out with a job whose attempt the log has and the table has not heard of yet. `unheard`: the
 * same, and the job is over. Offered again, such a row would be attempted before it is due.
 */
export const place = { nowhere: 0, heap: 1, lane: 2, taken: 3, ahead: 4, unheard: 5 } as const;

export type Place = (typeof place)[keyof typeof place];

export class RowPlaces {
  #places = new Uint8Array(1024);
  #takenBy = new Int32Array(1024);

  of(row: Row): number {
    return this.#places[row] ?? place.nowhere;
  }

  put(row: Row, where: Place): void {
    if (row >= this.#places.length) this.#grow(row);
    this.#places[row] = where;
  }

  /** The row goes out with a job. */
  take(row: Row, job: number): void {
    this.put(row, place.taken);
    this.#takenBy[row] = job;
  }

  isOutWith(row: Row, job: number): boolean {
    const out = this.of(row) === place.taken || this.of(row) === place.ahead;
    return out && this.#takenBy[row] === job;
  }

  #grow(row: Row): void {
    const size = Math.max(row + 1, this.#places.length * 2);
    const [places, takenBy] = [this.#places, this.#takenBy];
    this.#places = new Uint8Array(size);
    this.#places.set(places);
    this.#takenBy = new Int32Array(size);
    this.#takenBy.set(takenBy);
  }
}
