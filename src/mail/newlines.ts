/**
 * Line ends, in chunks of any size. Stored bodies have CRLF; a Maildir file and a program's stdin
 * have LF; what a local program hands us has LF. A CR or LF on its own is how letters are smuggled
 * inside letters, so it can be found, too.
 *
 * Each converter may hold back one byte; `end` gives it out. Chunks are never changed, but may be
 * handed through as they are.
 */

const CR = 13;
const LF = 10;

export interface ByteConverter {
  push(chunk: Uint8Array): Uint8Array;
  /** What was held back. Nothing may be pushed afterwards. */
  end(): Uint8Array;
}

const nothing = new Uint8Array(0);
const loneCr = (): Uint8Array => Uint8Array.of(CR);

/** CRLF becomes LF; a CR on its own stays, and CR CR LF becomes CR LF (qmail-smtpd.c blast). */
export function crlfToLf(): ByteConverter {
  /** The last chunk ended in a CR whose neighbour we have not seen. */
  let held = false;
  return {
    push(chunk) {
      if (chunk.length === 0 || (!held && !chunk.includes(CR))) return chunk;
      const out = new Uint8Array(chunk.length + 1);
      let size = 0;
      if (held && chunk[0] !== LF) out[size++] = CR;
      held = false;
      // Line by line, not byte by byte: every letter for a mailbox passes here.
      for (let at = 0; at < chunk.length;) {
        const cr = chunk.indexOf(CR, at);
        const end = cr < 0 ? chunk.length : cr;
        out.set(chunk.subarray(at, end), size);
        size += end - at;
        if (cr < 0) break;
        held = cr === chunk.length - 1;
        if (!held && chunk[cr + 1] !== LF) out[size++] = CR;
        at = cr + 1;
      }
      return out.subarray(0, size);
    },
    end: () => (held ? loneCr() : nothing),
  };
}

/** An LF gets its CR where it lacks one; CRLF and a CR on its own stay. */
export function lfToCrlf(): ByteConverter {
  let previous = 0;
  return {
    push(chunk) {
      if (!chunk.includes(LF)) {
        previous = chunk.at(-1) ?? previous;
        return chunk;
      }
      const out = new Uint8Array(chunk.length * 2);
      let size = 0;
      for (const byte of chunk) {
        if (byte === LF && previous !== CR) out[size++] = CR;
        out[size++] = byte;
        previous = byte;
      }
      return out.subarray(0, size);
    },
    end: () => nothing,
  };
}

/** Every line end, CRLF or a CR or LF on its own, becomes CRLF: afterwards nothing can hide in a bare one. */
export function normalizeNewlines(): ByteConverter {
  let held = false;
  return {
    push(chunk) {
      const out = new Uint8Array(chunk.length * 2 + 2);
      let size = 0;
      for (const byte of chunk) {
        if (held || byte === LF) {
          out[size++] = CR;
          out[size++] = LF;
        }
        // The LF of a CRLF is written with its CR already.
        if (byte !== CR && byte !== LF) out[size++] = byte;
        held = byte === CR;
      }
      return out.subarray(0, size);
    },
    end: () => (held ? Uint8Array.of(CR, LF) : nothing),
  };
}
