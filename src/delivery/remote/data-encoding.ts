/**
 * A body as DATA carries it (RFC 5321 §4.5.2): a dot in front of each line that starts with one, and
 * the final dot. Pure.
 *
 * Stored lines end in CRLF. Should a CR or LF stand on its own all the same, it becomes CRLF: what
 * some receiver takes for a line end must have been one for us, or a letter could hide in a letter
 * (qmail 1.09 fell for that). A body whose last line is unfinished gets its CRLF; qmail-remote
 * returned such a letter to its sender (#5.6.2).
 */
import type { ByteConverter } from '../../mail/newlines.ts';

const CR = 13;
const LF = 10;
const DOT = 46;

const afterLine = Uint8Array.of(DOT, CR, LF);
const afterCr = Uint8Array.of(LF, DOT, CR, LF);
const midLine = Uint8Array.of(CR, LF, DOT, CR, LF);

/** `push` gives back the chunk itself when nothing is to be changed; `end` gives the final dot. */
export function dotStuffer(): ByteConverter {
  /** The start counts as the start of a line. */
  let previous = LF;
  return {
    push(chunk) {
      const extra = countInsertions(chunk, previous);
      const out = extra === 0 ? chunk : withInsertions(chunk, previous, extra);
      previous = chunk.at(-1) ?? previous;
      return out;
    },
    end: () => (previous === LF ? afterLine : previous === CR ? afterCr : midLine),
  };
}

/** Nearly all bytes are letters, which one comparison passes by: this loop is most of the cost of sending. */
function countInsertions(chunk: Uint8Array, before: number): number {
  let extra = before === CR && chunk.length > 0 && chunk[0] !== LF ? 1 : 0;
  for (let i = 0; i < chunk.length; i += 1) {
    const byte = chunk[i]!;
    if (byte > DOT) continue;
    const previous = i > 0 ? chunk[i - 1] : before;
    if (byte === LF) extra += previous === CR ? 0 : 1;
    else if (byte === DOT) extra += previous === LF || previous === CR ? 1 : 0;
    // A CR at the very end is judged by the chunk that follows.
    else if (byte === CR && i + 1 < chunk.length) extra += chunk[i + 1] === LF ? 0 : 1;
  }
  return extra;
}

function withInsertions(chunk: Uint8Array, before: number, extra: number): Uint8Array {
  const out = new Uint8Array(chunk.length + extra);
  let size = 0;
  let previous = before;
  for (const byte of chunk) {
    if (previous === CR && byte !== LF) out[size++] = previous = LF;
    else if (previous !== CR && byte === LF) out[size++] = CR;
    if (byte === DOT && previous === LF) out[size++] = DOT;
    out[size++] = byte;
    previous = byte;
  }
  return out;
}
