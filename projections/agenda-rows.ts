/** Rows as typed arrays, a column each; numbers of rows that were given back are taken again. */

/** Number of a row: one waiting recipient. */
export type Row = number;
/** Number of a lane: one destination. */
export type LaneNo = number;

export const none = -1;

export const rowStatus = { free: 0, waiting: 1, attempting: 2 } as const;

const firstSize = 1024;

export class AgendaRows {
  letter = new Int32Array(firstSize);
  rcpt = new Int32Array(firstSize);
  lane = new Int32Array(firstSize);
  due = new Float64Array(firstSize);
  status = new Uint8Array(firstSize);
  /** 1 once an attempt was made: retries and new mail are served side by side. */
  tried = new Uint8Array(firstSize);
  /** Next row of the same letter, and the one before. */
  sibling = new Int32Array(firstSize);
  elder = new Int32Array(firstSize);
  #rows = 0;
  #freeRow: Row = none;

  protected takeRow(): Row {
    const row = this.#freeRow;
    if (row !== none) {
      this.#freeRow = this.sibling[row]!;
      return row;
    }
    if (this.#rows === this.letter.length) this.#grow();
    return this.#rows++;
  }

  protected giveBackRow(row: Row): void {
    this.status[row] = rowStatus.free;
    this.sibling[row] = this.#freeRow;
    this.#freeRow = row;
  }

  #grow(): void {
    const size = this.letter.length * 2;
    this.letter = grown(this.letter, new Int32Array(size));
    this.rcpt = grown(this.rcpt, new Int32Array(size));
    this.lane = grown(this.lane, new Int32Array(size));
    this.due = grown(this.due, new Float64Array(size));
    this.status = grown(this.status, new Uint8Array(size));
    this.tried = grown(this.tried, new Uint8Array(size));
    this.sibling = grown(this.sibling, new Int32Array(size));
    this.elder = grown(this.elder, new Int32Array(size));
  }
}

/** `to`, which is larger, beginning as `from`. */
export function grown<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from);
  return to;
}
