/**
 * A small reader of letter headers, over bytes whose lines end in CRLF or LF.
 * It forgives what RFC 5322 §2.2 forbids: whoever wrote the letter is a stranger.
 */

const CR = 13;
const LF = 10;
const SP = 32;
const TAB = 9;
const COLON = 58;

const decoder = new TextDecoder();

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

const isBlank = (byte: number | undefined): boolean => byte === SP || byte === TAB;

/** `name` in lower case; blanks between name and colon are tolerated (RFC 5322 §4.5). */
function startsField(bytes: Uint8Array, line: Line, name: string): number | undefined {
  let at = line.from;
  for (let i = 0; i < name.length; i += 1, at += 1) {
    const byte = bytes[at] ?? 0;
    const folded = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
    if (at >= line.to || folded !== name.charCodeAt(i)) return undefined;
  }
  while (at < line.to && isBlank(bytes[at])) at += 1;
  return at < line.to && bytes[at] === COLON ? at + 1 : undefined;
}

/** Where a field ends, its continuation lines included. */
function fieldEnd(bytes: Uint8Array, first: Line): Line {
  let line = first;
  while (isBlank(bytes[line.next])) line = lineAt(bytes, line.next);
  return line;
}

/**
 * The first value of the named header field, unfolded and trimmed; bytes that are not UTF-8 become U+FFFD.
 * Untrusted text: it may hold control characters other than CR and LF.
 */
export function headerValue(bytes: Uint8Array, name: string): string | undefined {
  const wanted = name.toLowerCase();
  for (let at = 0; at < bytes.length;) {
    const line = lineAt(bytes, at);
    if (line.to === line.from) return undefined;
    const last = fieldEnd(bytes, line);
    const value = startsField(bytes, line, wanted);
    if (value !== undefined) return unfold(bytes.subarray(value, last.to));
    at = last.next;
  }
  return undefined;
}

/** RFC 5322 §2.2.3: the line ends go, the blanks after them stay. */
const unfold = (bytes: Uint8Array): string =>
  decoder
    .decode(bytes)
    .replace(/[\r\n]+/g, '')
    .trim();
