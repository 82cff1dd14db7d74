/**
 * The id of an event, for stores and clients that want one: a UUIDv7-shaped function of when and
 * where it stands and what it says, so that a repeated append carries the same id, another event at the
 * same place does not, and ids sort by time.
 */
import { createHash } from 'node:crypto';
import type { Instant } from '../platform/clock.ts';
import type { Revision, StreamName } from './ports.ts';

const latest = 2 ** 48 - 1;

/** `content`: all else that makes it this event; a store that knows events by their ids compares nothing more. */
export function eventId(stream: StreamName, revision: Revision, at: Instant, content = ''): string {
  const said = `${stream}@${revision}${content === '' ? '' : ` ${at} ${content}`}`;
  const id = createHash('sha256').update(said).digest().subarray(0, 16);
  id.writeUIntBE(Math.min(Math.max(0, at), latest), 0, 6);
  id[6] = (id[6]! & 0x0f) | 0x70;
  id[8] = (id[8]! & 0x3f) | 0x80;
  const hex = id.toString('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-');
}
