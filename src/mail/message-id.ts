/**
 * Names of letters: UUIDv7 (RFC 9562 §5.7), so that names sort by time.
 * Drawn by chance for a letter that comes in; derived for one that we make ourselves (a bounce, a
 * forward), so that making it twice after a crash gives the same name.
 */
import type { Instant } from '../platform/clock.ts';
import type { MessageId } from './envelope.ts';

const shape = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** How many random bytes `makeMessageId` wants; 74 of their bits are used. */
export const randomBytesWanted = 10;

/** 48 bits of milliseconds: up to the year 10889. */
const lastInstant: Instant = 2 ** 48 - 1;

/** A name from the instant and ten random bytes. */
export function makeMessageId(at: Instant, random: Uint8Array): MessageId {
  if (random.length < randomBytesWanted) throw new RangeError('a message id needs 10 random bytes');
  const time = Math.floor(at);
  if (!(time >= 0 && time <= lastInstant)) throw new RangeError(`no message id for instant ${at}`);
  const tail = Buffer.from(random.subarray(0, randomBytesWanted));
  tail[0] = 0x70 | (tail[0]! & 0x0f);
  tail[2] = 0x80 | (tail[2]! & 0x3f);
  const head = time.toString(16).padStart(12, '0');
  const rest = tail.toString('hex');
  return `${head.slice(0, 8)}-${head.slice(8)}-${rest.slice(0, 4)}-${rest.slice(4, 8)}-${rest.slice(8)}`;
}

/** A name that the same instant and hash (16 bytes or more, of whatever made the letter) always give again. */
export function deriveMessageId(at: Instant, hash: Uint8Array): MessageId {
  if (hash.length < 16) throw new RangeError('a derived message id needs 16 bytes of hash');
  return makeMessageId(at, hash.subarray(0, randomBytesWanted));
}

/** Whether this is a name as we write it: lower case, version 7. */
export const isMessageId = (text: string): text is MessageId => shape.test(text);

/** A name as a person may type it: blanks around it, `message-` before it, any case. */
export function parseMessageId(text: string): MessageId | undefined {
  const name = text
    .trim()
    .toLowerCase()
    .replace(/^message-/, '');
  return isMessageId(name) ? name : undefined;
}

/** When the letter was named. */
export const instantOf = (id: MessageId): Instant =>
  Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
