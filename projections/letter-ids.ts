/**
 * Names of letters as numbers: 16 bytes a letter and an index over them, so that a million names take
 * some tens of megabytes and no work of the garbage collector. Numbers are reused; letters stay in the
 * order in which they came. A name that is no UUID (there is none in a log of ours) is kept as text.
 */
import type { MessageId } from '../src/mail/envelope.ts';

/** Number of a letter. */
export type LetterNo = number;

const none = -1;

/** Where the digits of a UUID stand, and where its dashes. */
const uuidChars = 36;
const dashes: readonly number[] = [8, 13, 18, 23];

/** The value of each hex digit by its character code; -1 for all that is none. Lower case only, as we write it. */
const digitOf = new Int8Array(128).fill(none);
for (const [value, digit] of [...'0123456789abcdef'].entries()) {
  digitOf[digit.charCodeAt(0)] = value;
}

export class LetterIds {
  /** Four words a letter. */
  #words = new Uint32Array(4 * 1024);
  /** Open addressing: numbers of letters, at most half full. */
  #slots = new Int32Array(2 * 1024).fill(none);
  #next = new Int32Array(1024);
  #previous = new Int32Array(1024);
  #first: LetterNo = none;
  #last: LetterNo = none;
  #free: LetterNo = none;
  #used = 0;
  #size = 0;
  readonly #odd = new Map<MessageId, LetterNo>();
  readonly #oddNames = new Map<LetterNo, MessageId>();
  /** The name that was asked for last. */
  readonly #asked = new Uint32Array(4);

  get size(): number {
    return this.#size;
  }

  /** Numbers are below this. */
  get room(): number {
    return this.#next.length;
  }

  numberOf(id: MessageId): LetterNo {
    if (!this.#read(id)) return this.#odd.get(id) ?? none;
    return this.#slots[this.#slotOf(this.#asked, 0)]!;
  }

  /** As `numberOf`, for words that `copyWords` gave. */
  numberOfWords(from: Uint32Array, at: number): LetterNo {
    return this.#slots[this.#slotOf(from, at)]!;
  }

  nameOf(letter: LetterNo): MessageId {
    const odd = this.#oddNames.get(letter);
    if (odd !== undefined) return odd;
    let hex = '';
    for (let at = 4 * letter; at < 4 * letter + 4; at += 1) {
      hex += (this.#words[at]! + 0x1_0000_0000).toString(16).slice(1);
    }
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }

  /** Order of names as texts; younger letters of one millisecond need not come later. */
  compare(a: LetterNo, b: LetterNo): number {
    if (this.#oddNames.size > 0 && (this.#oddNames.has(a) || this.#oddNames.has(b))) {
      return this.nameOf(a) < this.nameOf(b) ? -1 : a === b ? 0 : 1;
    }
    for (let word = 0; word < 4; word += 1) {
      const more = this.#words[4 * a + word]! - this.#words[4 * b + word]!;
      if (more !== 0) return more;
    }
    return 0;
  }

  /** A number for a name that has none yet. */
  add(id: MessageId): LetterNo {
    const letter = this.#takeNumber();
    if (this.#read(id)) {
      this.#words.set(this.#asked, 4 * letter);
      this.#index(letter);
    } else {
      this.#odd.set(id, letter);
      this.#oddNames.set(letter, id);
    }
    return letter;
  }

  remove(letter: LetterNo): void {
    const odd = this.#oddNames.get(letter);
    if (odd === undefined) {
      this.#closeGap(this.#slotOf(this.#words, 4 * letter));
    } else {
      this.#odd.delete(odd);
      this.#oddNames.delete(letter);
    }
    const before = this.#previous[letter]!;
    const after = this.#next[letter]!;
    if (before === none) this.#first = after;
    else this.#next[before] = after;
    if (after === none) this.#last = before;
    else this.#previous[after] = before;
    this.#next[letter] = this.#free;
    this.#free = letter;
    this.#size -= 1;
  }

  /** All letters, oldest first. */
  *numbers(): Generator<LetterNo> {
    for (let letter = this.#first; letter !== none;) {
      const next = this.#next[letter]!;
      yield letter;
      letter = next;
    }
  }

  /** The letter that came after this one; before the first comes -1, as after the last. */
  after(letter: LetterNo): LetterNo {
    return letter === none ? this.#first : this.#next[letter]!;
  }

  /** The words of a letter's name, for a checkpoint. Throws for a name that is no UUID. */
  copyWords(letter: LetterNo, to: Uint32Array, at: number): void {
    if (this.#oddNames.size > 0 && this.#oddNames.has(letter)) {
      throw new RangeError(`${this.#oddNames.get(letter)}: not a message id of ours`);
    }
    for (let word = 0; word < 4; word += 1) to[at + word] = this.#words[4 * letter + word]!;
  }

  /** As `add`, with words that `copyWords` gave. */
  addWords(from: Uint32Array, at: number): LetterNo {
    const letter = this.#takeNumber();
    for (let word = 0; word < 4; word += 1) this.#words[4 * letter + word] = from[at + word]!;
    this.#index(letter);
    return letter;
  }

  #takeNumber(): LetterNo {
    let letter = this.#free;
    if (letter === none) {
      if (this.#used === this.#next.length) this.#grow();
      letter = this.#used;
      this.#used += 1;
    } else {
      this.#free = this.#next[letter]!;
    }
    this.#previous[letter] = this.#last;
    this.#next[letter] = none;
    if (this.#last === none) this.#first = letter;
    else this.#next[this.#last] = letter;
    this.#last = letter;
    this.#size += 1;
    return letter;
  }

  #index(letter: LetterNo): void {
    this.#slots[this.#slotOf(this.#words, 4 * letter)] = letter;
  }

  /** The slot that holds the name, or the empty one where it would be. */
  #slotOf(words: Uint32Array, at: number): number {
    const mask = this.#slots.length - 1;
    let slot = hashOf(words, at) & mask;
    for (;;) {
      const letter = this.#slots[slot]!;
      if (letter === none || this.#isSame(letter, words, at)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #isSame(letter: LetterNo, words: Uint32Array, at: number): boolean {
    const own = 4 * letter;
    return (
      this.#words[own + 3] === words[at + 3] &&
      this.#words[own + 2] === words[at + 2] &&
      this.#words[own + 1] === words[at + 1] &&
      this.#words[own] === words[at]
    );
  }

  /** Moves up whoever would not be found across the empty slot (Knuth, TAOCP 3, §6.4 R). */
  #closeGap(slot: number): void {
    const mask = this.#slots.length - 1;
    let gap = slot;
    for (let next = (gap + 1) & mask; this.#slots[next] !== none; next = (next + 1) & mask) {
      const letter = this.#slots[next]!;
      const home = hashOf(this.#words, 4 * letter) & mask;
      if (((next - home) & mask) < ((next - gap) & mask)) continue;
      this.#slots[gap] = letter;
      gap = next;
    }
    this.#slots[gap] = none;
  }

  #grow(): void {
    const room = 2 * this.#next.length;
    const [words, next, previous] = [this.#words, this.#next, this.#previous];
    this.#words = new Uint32Array(4 * room);
    this.#words.set(words);
    this.#next = new Int32Array(room);
    this.#next.set(next);
    this.#previous = new Int32Array(room);
    this.#previous.set(previous);
    this.#slots = new Int32Array(2 * room).fill(none);
    for (let letter = this.#first; letter !== none; letter = this.#next[letter]!) {
      if (!this.#oddNames.has(letter)) this.#index(letter);
    }
  }

  /** The name's words into `#asked`; `false` when it is no UUID. */
  #read(id: MessageId): boolean {
    if (id.length !== uuidChars) return false;
    let word = 0;
    let digits = 0;
    for (let at = 0; at < uuidChars; at += 1) {
      const code = id.charCodeAt(at);
      if (code === 45 && dashes.includes(at)) continue;
      const digit = code < 128 ? digitOf[code]! : none;
      if (digit === none || digits === 32) return false;
      word = (word << 4) | digit;
      digits += 1;
      if ((digits & 7) === 0) this.#asked[(digits >> 3) - 1] = word;
    }
    return digits === 32;
  }
}

/** Stirred well (MurmurHash3's last step): names that count upwards must not stand side by side. */
function hashOf(words: Uint32Array, at: number): number {
  let hash = words[at + 3]! ^ Math.imul(words[at + 2]!, 31) ^ words[at + 1]!;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
