/**
 * The rows behind the agenda: one per waiting recipient, in typed arrays, so that a million of them
 * take some tens of megabytes and no work of the garbage collector. Rows and letters are numbered;
 * numbers are reused.
 */
import type { MessageId, RecipientNo } from '../src/mail/envelope.ts';
import type { Instant } from '../src/platform/clock.ts';
import { AgendaRows, grown, none, rowStatus, type LaneNo, type Row } from './agenda-rows.ts';
import { columnsOf } from './agenda-snapshot.ts';
import { LaneNames } from './lane-names.ts';
import { LetterIds, type LetterNo } from './letter-ids.ts';

/** Steps along a letter's chain of rows after which an index is worth its memory. */
const longWay = 64;

/** Told about every change, so that whoever orders the rows by time need not look for them. */
export type AgendaWatcher = {
  /** The row waits from now on, or waits for another time than before. */
  waits(row: Row): void;
  /** The row does not wait any more: it is being attempted, or held, or gone. */
  rests(row: Row): void;
};

/** All of a table, letter by letter in the order in which they came, row by row in the order of the chain. */
export type AgendaColumns = {
  /** Four words a letter. */
  readonly ids: Uint32Array;
  readonly held: Uint8Array;
  /** Rows of each letter, at least one. */
  readonly counts: Uint32Array;
  readonly rcpt: Uint32Array;
  /** Index into `lanes`. */
  readonly lane: Uint32Array;
  readonly due: Float64Array;
  readonly status: Uint8Array;
  readonly tried: Uint8Array;
  readonly lanes: readonly string[];
};

const silent: AgendaWatcher = { waits: () => undefined, rests: () => undefined };

export class AgendaTable extends AgendaRows {
  watcher: AgendaWatcher = silent;

  readonly #ids = new LetterIds();
  #first = new Int32Array(1024);
  #held = new Uint8Array(1024);
  /** Row by recipient, of the letters where looking it up in the chain was a long way. */
  readonly #index = new Map<LetterNo, Int32Array>();

  readonly #lanes = new LaneNames();

  #count = 0;

  /** Recipients without a terminal event. */
  get recipients(): number {
    return this.#count;
  }

  get letters(): number {
    return this.#ids.size;
  }

  idOf(letter: LetterNo): MessageId {
    return this.#ids.nameOf(letter);
  }

  /** Below 0 when the name of `a` comes first: an order of letters that does not depend on their numbers. */
  compareIds(a: LetterNo, b: LetterNo): number {
    return this.#ids.compare(a, b);
  }

  has(id: MessageId): boolean {
    return this.#ids.numberOf(id) !== none;
  }

  isHeld(letter: LetterNo): boolean {
    return this.#held[letter] === 1;
  }

  /** Of a lane in use. */
  laneName(lane: LaneNo): string {
    return this.#lanes.nameOf(lane);
  }

  /** The number of a lane in use. */
  laneNo(name: string): LaneNo | undefined {
    return this.#lanes.numberOf(name);
  }

  /** All lanes in use have numbers below it. */
  get laneRoom(): number {
    return this.#lanes.room;
  }

  /** A letter with a row per recipient; hearing of it twice changes nothing. */
  add(id: MessageId, lanes: readonly string[], due: Instant): void {
    if (lanes.length === 0 || this.has(id)) return;
    const letter = this.#open(this.#ids.add(id), false);
    // From the last to the first, so that the chain runs in the order of the envelope.
    for (let rcpt = lanes.length - 1; rcpt >= 0; rcpt -= 1) {
      const row = this.takeRow();
      this.rcpt[row] = rcpt;
      this.lane[row] = this.#lanes.use(lanes[rcpt]!, 1);
      this.due[row] = due;
      this.status[row] = rowStatus.waiting;
      this.tried[row] = 0;
      this.#chain(letter, row);
    }
    for (const row of this.rowsOf(letter)) this.watcher.waits(row);
  }

  /**
   * Everything, or some letters, for a checkpoint. Throws `RangeError` for a letter whose name is no
   * message id of ours.
   */
  columns(some?: readonly LetterNo[]): AgendaColumns {
    return columnsOf(this, some);
  }

  /** How many rows these letters have. */
  rowsIn(letters: readonly LetterNo[]): number {
    let rows = 0;
    for (const letter of letters) {
      for (let row = this.#first[letter]!; row !== none; row = this.sibling[row]!) rows += 1;
    }
    return rows;
  }

  /** Adds letters that a table which nobody watches yet does not have. */
  fill({ ids, held, counts, lanes, ...rows }: AgendaColumns): void {
    const uses = new Uint32Array(lanes.length);
    for (const lane of rows.lane) uses[lane]! += 1;
    const numbers = lanes.map((name, lane) => this.#lanes.use(name, uses[lane]!));
    let end = 0;
    for (let no = 0; no < counts.length; no += 1) {
      const letter = this.#open(this.#ids.addWords(ids, 4 * no), held[no] === 1);
      end += counts[no]!;
      // Chained from the last to the first, so that the chain runs as it did.
      for (let at = end - 1; at >= end - counts[no]!; at -= 1) {
        const row = this.takeRow();
        this.rcpt[row] = rows.rcpt[at]!;
        this.lane[row] = numbers[rows.lane[at]!]!;
        this.due[row] = rows.due[at]!;
        this.status[row] = rows.status[at]!;
        this.tried[row] = rows.tried[at]!;
        this.#chain(letter, row);
      }
    }
  }

  /** The letter's first row; `sibling` has the others. */
  firstOf(letter: LetterNo): Row {
    return this.#first[letter]!;
  }

  /** Its name as four words. */
  copyWords(letter: LetterNo, to: Uint32Array, at: number): void {
    this.#ids.copyWords(letter, to, at);
  }

  *rowsOf(letter: LetterNo): Generator<Row> {
    for (let row = this.#first[letter]!; row !== none;) {
      const next = this.sibling[row]!;
      yield row;
      row = next;
    }
  }

  /** Whether the letter has no other row. */
  isAlone(row: Row): boolean {
    return this.sibling[row] === none && this.#first[this.letter[row]!] === row;
  }

  /** The letter's number, if it still has rows. */
  letterNo(id: MessageId): LetterNo | undefined {
    const letter = this.#ids.numberOf(id);
    return letter === none ? undefined : letter;
  }

  /** The row of one recipient. A letter to very many gets an index when it is first needed. */
  find(id: MessageId, rcpt: RecipientNo): Row {
    const letter = this.#ids.numberOf(id);
    if (letter === none) return none;
    const index = this.#index.get(letter);
    if (index !== undefined) return index[rcpt] ?? none;
    let steps = 0;
    for (let row = this.#first[letter]!; row !== none; row = this.sibling[row]!) {
      if (this.rcpt[row] === rcpt) return row;
      if ((steps += 1) > longWay) return this.#makeIndex(letter)[rcpt] ?? none;
    }
    return none;
  }

  #makeIndex(letter: LetterNo): Int32Array {
    let highest = 0;
    for (const row of this.rowsOf(letter)) highest = Math.max(highest, this.rcpt[row]!);
    const index = new Int32Array(highest + 1).fill(none);
    for (const row of this.rowsOf(letter)) index[this.rcpt[row]!] = row;
    this.#index.set(letter, index);
    return index;
  }

  attempt(row: Row, lane: string): void {
    // The watcher finds the row by its old lane, so it hears first.
    this.watcher.rests(row);
    const before = this.lane[row]!;
    if (this.#lanes.nameOf(before) !== lane) {
      this.lane[row] = this.#lanes.use(lane, 1);
      this.#lanes.leave(before);
    }
    this.status[row] = rowStatus.attempting;
    this.tried[row] = 1;
  }

  wait(row: Row, due: Instant): void {
    this.status[row] = rowStatus.waiting;
    this.due[row] = due;
    if (!this.isHeld(this.letter[row]!)) this.watcher.waits(row);
  }

  remove(row: Row): void {
    this.watcher.rests(row);
    const letter = this.letter[row]!;
    this.#unchain(letter, row);
    this.#lanes.leave(this.lane[row]!);
    this.giveBackRow(row);
    this.#count -= 1;
    if (this.#first[letter] !== none) return;
    this.#index.delete(letter);
    this.#ids.remove(letter);
  }

  /** All rows of a letter, if it has any. */
  drop(id: MessageId): void {
    this.#drop(this.#ids.numberOf(id));
  }

  /** The letters of columns take the place of what is here of them. */
  replace(columns: AgendaColumns): void {
    for (let at = 0; at < columns.ids.length; at += 4) {
      this.#drop(this.#ids.numberOfWords(columns.ids, at));
    }
    this.fill(columns);
  }

  #drop(letter: LetterNo): void {
    if (letter !== none) for (const row of this.rowsOf(letter)) this.remove(row);
  }

  hold(id: MessageId, held: boolean): void {
    const letter = this.#ids.numberOf(id);
    if (letter === none || this.isHeld(letter) === held) return;
    this.#held[letter] = held ? 1 : 0;
    for (const row of this.rowsOf(letter)) {
      if (this.status[row] !== rowStatus.waiting) continue;
      if (held) this.watcher.rests(row);
      else this.watcher.waits(row);
    }
  }

  /** Every letter that still has rows. */
  openLetters(): Generator<LetterNo> {
    return this.#ids.numbers();
  }

  #open(letter: LetterNo, held: boolean): LetterNo {
    if (letter >= this.#first.length) {
      this.#first = grown(this.#first, new Int32Array(this.#ids.room));
      this.#held = grown(this.#held, new Uint8Array(this.#ids.room));
    }
    this.#first[letter] = none;
    this.#held[letter] = held ? 1 : 0;
    return letter;
  }

  /** Before the letter's other rows. */
  #chain(letter: LetterNo, row: Row): void {
    const next = this.#first[letter]!;
    this.letter[row] = letter;
    this.sibling[row] = next;
    this.elder[row] = none;
    if (next !== none) this.elder[next] = row;
    this.#first[letter] = row;
    this.#count += 1;
  }

  #unchain(letter: LetterNo, row: Row): void {
    const before = this.elder[row]!;
    const after = this.sibling[row]!;
    if (before === none) this.#first[letter] = after;
    else this.sibling[before] = after;
    if (after !== none) this.elder[after] = before;
    const index = this.#index.get(letter);
    if (index !== undefined) index[this.rcpt[row]!] = none;
  }
}
