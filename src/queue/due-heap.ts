/** Rows by due time: a binary heap over numbers, with removal from the middle, all in O(log n). */
import type { Instant } from '../platform/clock.ts';

export class DueHeap {
  readonly #dueOf: (row: number) => Instant;
  #rows: Int32Array = new Int32Array(1024);
  /** Where each row stands in the heap, -1 when it does not. */
  #places: Int32Array = new Int32Array(1024).fill(-1);
  #size = 0;

  constructor(dueOf: (row: number) => Instant) {
    this.#dueOf = dueOf;
  }

  get size(): number {
    return this.#size;
  }

  has(row: number): boolean {
    return (this.#places[row] ?? -1) !== -1;
  }

  /** The row that is due first. */
  peek(): number | undefined {
    return this.#size === 0 ? undefined : this.#rows[0];
  }

  /** Adds the row, or moves it when its due time has changed. */
  put(row: number): void {
    if (this.has(row)) {
      const place = this.#places[row]!;
      this.#sink(this.#rise(place));
      return;
    }
    this.#makeRoom(row);
    this.#set(this.#size, row);
    this.#size += 1;
    this.#rise(this.#size - 1);
  }

  remove(row: number): void {
    const place = this.#places[row] ?? -1;
    if (place === -1) return;
    this.#places[row] = -1;
    this.#size -= 1;
    if (place === this.#size) return;
    this.#set(place, this.#rows[this.#size]!);
    this.#sink(this.#rise(place));
  }

  #set(place: number, row: number): void {
    this.#rows[place] = row;
    this.#places[row] = place;
  }

  #rise(from: number): number {
    let place = from;
    const row = this.#rows[place]!;
    const due = this.#dueOf(row);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = this.#rows[parent]!;
      if (this.#dueOf(above) <= due) break;
      this.#set(place, above);
      place = parent;
    }
    this.#set(place, row);
    return place;
  }

  #sink(from: number): void {
    let place = from;
    const row = this.#rows[place]!;
    const due = this.#dueOf(row);
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.#size) break;
      const right = child + 1;
      if (right < this.#size && this.#dueOf(this.#rows[right]!) < this.#dueOf(this.#rows[child]!)) {
        child = right;
      }
      const below = this.#rows[child]!;
      if (this.#dueOf(below) >= due) break;
      this.#set(place, below);
      place = child;
    }
    this.#set(place, row);
  }

  #makeRoom(row: number): void {
    if (this.#size === this.#rows.length) this.#rows = grown(this.#rows, this.#size * 2, 0);
    if (row < this.#places.length) return;
    this.#places = grown(this.#places, Math.max(row + 1, this.#places.length * 2), -1);
  }
}

function grown(from: Int32Array, size: number, fill: number): Int32Array {
  const to = new Int32Array(size).fill(fill);
  to.set(from);
  return to;
}
