/**
 * A small reader of letter headers, over bytes whose lines end in CRLF or LF.
 * It forgives what RFC 5322 §2.2 forbids: whoever wrote the letter is a stranger.
 */

const CR = 13;
const LF = 10;

/** One line without its end, and where the next one starts. */
type Line = { readonly from: number; readonly to: number; readonly next: number };

function lineAt(bytes: Uint8Array, from: number): Line {
  const lf = bytes.indexOf(LF, from);
  if (lf < 0) return { from, to: bytes.length, next: bytes.length };
  return { from, to: lf > from && bytes[lf - 1] === CR ? lf - 1 : lf, next: lf + 1 };
}

/**
 * Where the body begins: the first byte after the empty line.
 * `undefined` while that line has not come (or never does: then all of it is header).
 */
export function bodyOffset(bytes: Uint8Array): number | undefined {
  for (let at = 0; at < bytes.length;) {
    const line = lineAt(bytes, at);
    if (line.to === line.from && line.next > line.to) return line.next;
    at = line.next;
  }
  return undefined;
}
