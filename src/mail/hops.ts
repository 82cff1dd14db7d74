/**
 * Hops: how often a letter has been handed on already (qmail-smtpd.c blast).
 * Counted on the bytes as they come, in chunks of any size, before dots are removed.
 */

const CR = 13;
const LF = 10;

/** A letter with this many hops is looping. */
export const maxHops = 100;

export interface HopCounter {
  /** Reads on. Costs nothing once the header has ended. */
  push(chunk: Uint8Array): void;
  readonly hops: number;
  readonly headerEnded: boolean;
}

const spells = (byte: number, word: string, place: number): boolean =>
  (byte | 0x20) === word.charCodeAt(place);

/**
 * Counts header lines whose first bytes spell `received` or `delivered`, in any case and whatever
 * follows (`Received-SPF:` counts too), up to the first empty line (CRLF, or a bare LF).
 */
export function hopCounter(): HopCounter {
  let hops = 0;
  let ended = false;
  let column = 0;
  let received = true;
  let delivered = true;
  let empty = true;

  function read(byte: number): void {
    if (byte === LF) {
      ended = empty;
      column = 0;
      received = delivered = empty = true;
      return;
    }
    if (column < 8) received &&= spells(byte, 'received', column);
    if (column < 9) delivered &&= spells(byte, 'delivered', column);
    empty &&= column === 0 && byte === CR;
    if ((column === 7 && received) || (column === 8 && delivered)) hops += 1;
    column += 1;
  }

  return {
    push(chunk) {
      for (let i = 0; i < chunk.length && !ended; i += 1) read(chunk[i]!);
    },
    get hops() {
      return hops;
    },
    get headerEnded() {
      return ended;
    },
  };
}
