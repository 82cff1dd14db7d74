/**
 * The Received field that a door puts on top of a letter (qmail's received.c): who handed it over,
 * to whom, how, and when. Whatever a stranger wrote into it is made harmless.
 */
import { asciiLower } from '../mail/address.ts';
import { formatDate } from '../mail/date.ts';
import type { Arrival, MessageId } from '../mail/envelope.ts';
import type { Instant } from '../platform/clock.ts';

export type ReceivedParts = {
  readonly protocol: Arrival['protocol'];
  /** Checked reverse name of the client; `unknown` without. */
  readonly host?: string | undefined;
  readonly helo?: string | undefined;
  /** TCPREMOTEINFO: who calls, by another's word than its own. */
  readonly info?: string | undefined;
  readonly ip: string;
  readonly me: string;
  readonly id: MessageId;
  readonly at: Instant;
};

/** UTF-8 bytes of one code point. */
function bytesOf(letter: string): number {
  const point = letter.codePointAt(0) ?? 0;
  if (point < 0x80) return 1;
  return point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}

/** Every byte but `A-Z a-z 0-9 . @ % + / = : - [ ]` becomes `?` (qmail's received.c issafe). */
export const maskUnsafe = (text: string): string =>
  text.replace(/[^A-Za-z0-9.@%+/=:\-[\]]/gu, (letter) => '?'.repeat(bytesOf(letter)));

/** The field, folded once, lines ending in CRLF. HELO is only told when it is not the host's name. */
export function formatReceived(parts: ReceivedParts): string {
  const { protocol, helo, info, ip, me, id, at } = parts;
  const host = parts.host ?? 'unknown';
  const greeted = helo !== undefined && asciiLower(helo) !== asciiLower(host);
  const called = greeted ? ` (HELO ${maskUnsafe(helo)})` : '';
  const who = info === undefined ? '' : `${maskUnsafe(info)}@`;
  return (
    `Received: from ${maskUnsafe(host)}${called} (${who}${maskUnsafe(ip)})\r\n` +
    `  by ${maskUnsafe(me)} with ${protocol} id ${id}; ${formatDate(at)}\r\n`
  );
}
