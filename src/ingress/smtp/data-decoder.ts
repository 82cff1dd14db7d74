/**
 * The language of DATA (RFC 5321 §4.5.2), in chunks of any size: takes away the dots that were
 * added, and finds the end. A line ends in CRLF and nothing else, so only CRLF `.` CRLF ends the
 * data. A CR or LF on its own is content: a dot after it starts no line, is never removed and
 * never ends anything. `bare` tells that there was one, so that the letter can be refused, or its
 * line ends made whole before anybody else reads them in his own way (letter smuggling).
 */

const CR = 13;
const LF = 10;
const DOT = 46;

/** Places between two bytes. */
const atLineStart = 0;
const afterDot = 1;
const afterDotCr = 2;
const inLine = 3;
const afterCr = 4;

const nothing = new Uint8Array(0);
const dotCr = Uint8Array.of(DOT, CR);

export type DataStep = {
  /** Decoded bytes: a view of the chunk where no dot had to go. */
  readonly content: Uint8Array;
  /** Where in the chunk the first byte after the end of data is; -1 while the end has not come. */
  readonly end: number;
};

export class DataDecoder {
  /** A CR or LF on its own has been met. */
  bare = false;
  /** Line ends met, CRLF only. */
  lines = 0;
  /** Bytes of content given out so far. */
  bytes = 0;
  #place = atLineStart;
  /** All bytes, or-ed. */
  #union = 0;

  /** Whether any byte had its high bit set. */
  get eightBit(): boolean {
    return this.#union > 127;
  }

  push(chunk: Uint8Array): DataStep {
    const size = chunk.length;
    let pieces: Uint8Array[] | undefined;
    let place = this.#place;
    let union = this.#union;
    let from = 0;
    let at = 0;
    const cut = (to: number, next: number) => {
      (pieces ??= []).push(chunk.subarray(from, to));
      from = next;
    };

    for (; at < size; at += 1) {
      let byte = chunk[at]!;
      if (place === inLine) {
        // The hot loop: nearly every byte of every letter passes here.
        while (byte !== CR && byte !== LF) {
          union |= byte;
          if (++at === size) break;
          byte = chunk[at]!;
        }
        if (at === size) break;
      }
      if (byte === LF) {
        if (place === afterDotCr) {
          this.#place = atLineStart;
          this.#union = union;
          // All before the dot was cut off when the dot was met.
          return this.#step(chunk, pieces, at, at, at + 1);
        }
        if (place === afterCr) this.lines += 1;
        else this.bare = true;
        place = place === afterCr ? atLineStart : inLine;
      } else if (place === atLineStart && byte === DOT) {
        cut(at, at + 1);
        place = afterDot;
      } else if (place === afterDot && byte === CR) {
        cut(at, at + 1);
        place = afterDotCr;
      } else {
        if (place === afterDotCr) {
          // `.` CR and no LF: no end of data, but two bytes of it (qmail-smtpd.c blast).
          (pieces ??= []).push(dotCr);
        }
        if (place === afterDotCr || place === afterCr) this.bare = true;
        union |= byte;
        place = byte === CR ? afterCr : inLine;
      }
    }
    this.#place = place;
    this.#union = union;
    return this.#step(chunk, pieces, from, size, -1);
  }

  #step(
    chunk: Uint8Array,
    pieces: Uint8Array[] | undefined,
    from: number,
    to: number,
    end: number,
  ): DataStep {
    const last = from < to ? chunk.subarray(from, to) : nothing;
    const content = pieces === undefined ? last : join([...pieces, last]);
    this.bytes += content.length;
    return { content, end };
  }
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  const filled = pieces.filter((piece) => piece.length > 0);
  if (filled.length < 2) return filled[0] ?? nothing;
  const whole = new Uint8Array(filled.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of filled) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
