/** Between rows and events: stream keys, checksums. */
import { crc32 } from 'node:zlib';
import type { StreamName } from '../ports.ts';

/** 16 bytes for a letter's stream, text for any other. */
export type StreamKey = Uint8Array | string;

const letter = /^message-([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})$/;

export function toStreamKey(stream: StreamName): StreamKey {
  const parts = letter.exec(stream);
  if (parts === null) return stream;
  return Buffer.from(parts[1]! + parts[2]! + parts[3]! + parts[4]! + parts[5]!, 'hex');
}

export function toStreamName(key: StreamKey): StreamName {
  if (typeof key === 'string') return key;
  return letterStream(Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('hex'));
}

/** The stream of the letter whose id has these 32 hex digits, in either case. */
export const letterStream = (hex: string): StreamName =>
  `message-${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`.toLowerCase();

/** CRC-32 over everything an event says and where it stands; a flipped bit anywhere changes it. */
export function checksum(event: {
  readonly position: number;
  readonly stream: StreamName;
  readonly revision: number;
  readonly type: string;
  readonly v: number;
  readonly at: number;
  readonly json: string;
}): number {
  const { position, stream, revision, type, v, at, json } = event;
  return crc32(`${position} ${stream} ${revision} ${type} ${v} ${at} ${json}`);
}
