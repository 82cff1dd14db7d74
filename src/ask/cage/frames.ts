/** Texts over a pipe: four bytes with the length, then so many bytes of UTF-8. */
import { readSync, writeSync } from 'node:fs';

const headBytes = 4;

/**
 * What is longer is no answer that anybody could show: it is refused by its length, before it is kept or parsed.
 * Orders, which are ours, may be longer: a page of events is in one.
 */
export const mostAnswerBytes = 16 * 1024 * 1024;

export const tooMuch = `it has more to say than ${mostAnswerBytes / 1024 / 1024} MiB at once`;

export function toFrame(text: string): Buffer {
  // The longest it can be, rather than counted first: most of it is ASCII, and counting walks over all of it.
  const frame = Buffer.allocUnsafeSlow(headBytes + 3 * text.length);
  const length = frame.write(text, headBytes);
  frame.writeUInt32LE(length);
  return frame.subarray(0, headBytes + length);
}

/** Puts answers together from pieces as they come. Throws `RangeError` for one that is too long. */
export class Frames {
  #pieces: Buffer[] = [];
  #bytes = 0;

  take(piece: Buffer): readonly string[] {
    this.#pieces.push(piece);
    this.#bytes += piece.byteLength;
    const texts: string[] = [];
    for (;;) {
      if (this.#bytes < headBytes) return texts;
      // Only the head has to be in one piece before the whole frame is there.
      if (this.#pieces[0]!.byteLength < headBytes) this.#join();
      const length = this.#pieces[0]!.readUInt32LE();
      if (length > mostAnswerBytes) throw new RangeError(tooMuch);
      if (this.#bytes < headBytes + length) return texts;
      const all = this.#join();
      texts.push(all.toString('utf8', headBytes, headBytes + length));
      this.#pieces = [all.subarray(headBytes + length)];
      this.#bytes -= headBytes + length;
    }
  }

  #join(): Buffer {
    const all = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
    this.#pieces = [all];
    return all;
  }
}

/** Waits for the next one. `undefined`: nobody will say anything more. */
export function readFrame(fd: number): string | undefined {
  const head = Buffer.allocUnsafe(headBytes);
  if (!fill(fd, head)) return undefined;
  const text = Buffer.allocUnsafe(head.readUInt32LE());
  return fill(fd, text) ? text.toString() : undefined;
}

function fill(fd: number, bytes: Buffer): boolean {
  for (let at = 0; at < bytes.byteLength;) {
    const count = readSync(fd, bytes, at, bytes.byteLength - at, null);
    if (count === 0) return false;
    at += count;
  }
  return true;
}

/** Returns when all of it is taken. */
export function writeFrame(fd: number, text: string): void {
  const frame = toFrame(text);
  for (let at = 0; at < frame.byteLength;) at += writeSync(fd, frame, at);
}
