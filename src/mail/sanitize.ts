/** Strangers' text made harmless: one line, printable ASCII, no surprises for a terminal or a parser. */

const encoder = new TextEncoder();

/**
 * A report as qmail-send logs it: LF becomes `/`; bytes below 33, above 126 and `%` become `_`.
 * Works on UTF-8 bytes, as qmail did, so that one `ü` gives `__`.
 */
export function sanitizeForLog(text: string): string {
  let safe = '';
  for (const byte of encoder.encode(text)) {
    if (byte === 10) safe += '/';
    else safe += byte < 33 || byte > 126 || byte === 37 ? '_' : String.fromCharCode(byte);
  }
  return safe;
}

/**
 * One line of printable ASCII, at most `maxLength` characters (of which the last three say `...` when
 * something was cut). Line ends and runs of blanks become one space, all else that is not ASCII `?`.
 */
export function safeLine(text: string, maxLength: number): string {
  // No line needs more than this much to be cut to size: blanks shrink, but a flood must not cost.
  const looked = text.slice(0, 4 * maxLength + 16);
  const line = looked
    .replace(/[\t\n\r ]+/g, ' ')
    .trim()
    .replace(/[^ -~]/gu, '?');
  if (line.length <= maxLength && looked.length === text.length) return line;
  return maxLength <= 3 ? line.slice(0, maxLength) : `${line.slice(0, maxLength - 3)}...`;
}
