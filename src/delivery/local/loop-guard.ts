/**
 * A letter that bears our own Delivered-To line has been here before (qmail-local.c bouncexf).
 * Only the header counts, and only a line that is the same byte for byte.
 */
import type { Letter } from './letter.ts';

const LF = 10;
const emptyLine = Buffer.from('\n\n');

/** `line` ends in LF. Reads no further than the header, and keeps no more than a line's length of it. */
export async function hasBeenHere(letter: Letter, line: string): Promise<boolean> {
  const wanted = Buffer.from(`\n${line}`);
  // The header begins as if a line had just ended.
  let window: Buffer = Buffer.of(LF);
  for await (const chunk of pieces(letter)) {
    window = Buffer.concat([window, chunk]);
    const end = window.indexOf(emptyLine);
    const header = end < 0 ? window : window.subarray(0, end + 1);
    if (header.includes(wanted)) return true;
    if (end >= 0) return false;
    window = window.subarray(Math.max(0, window.length - wanted.length + 1));
  }
  return false;
}

const pieces = ({ whole, chunks }: Letter): Iterable<Uint8Array> | AsyncIterable<Uint8Array> =>
  whole === undefined ? chunks() : [whole];
