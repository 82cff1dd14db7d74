/**
 * The Message-ID in a letter's header (RFC 5322 §3.6.4), picked up as the letter comes in: what its
 * sender, and every other machine on its way, calls it. Only the beginning of the letter is looked at.
 */

/** Nearly all headers end before this. */
const lookedAt = 8 * 1024;

/** As most senders keep to it: one word, with or without brackets, on the field's line or the one below. */
const field = /^message-id:[ \t]*(?:\r?\n[ \t]+)?<?([^\s<>]{1,250})>?/im;

export interface MessageIdReader {
  /** Reads on. Costs nothing once the header has ended. */
  push(chunk: Uint8Array): void;
  /** Without its brackets, in printable ASCII; absent: there is none. */
  readonly found: string | undefined;
}

export function messageIdReader(): MessageIdReader {
  let head: string | undefined = '';
  let found: string | undefined;
  return {
    push(chunk) {
      if (head === undefined || chunk.length === 0) return;
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      head += bytes.toString('latin1', 0, Math.min(bytes.length, lookedAt - head.length));
      const end = head.indexOf('\n\r\n');
      if (end === -1 && head.length < lookedAt) {
        // Known as soon as its line is whole; the rest of the header does not matter.
        found = readWhole(head);
        if (found === undefined) return;
      } else found ??= read(end === -1 ? head : head.slice(0, end + 1));
      head = undefined;
    },
    get found() {
      return found ?? (head === undefined ? undefined : read(head));
    },
  };
}

const read = (header: string): string | undefined =>
  field.exec(header)?.[1]?.replace(/[^!-~]/g, '?');

/** Up to the last line break: what follows may still grow. */
const readWhole = (header: string): string | undefined =>
  read(header.slice(0, header.lastIndexOf('\n') + 1));
