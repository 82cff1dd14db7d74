/**
 * A body in the event store: the stream `body-<id>`, whose events are pieces of it. The last piece carries,
 * as metadata, what the whole must be and where its pieces are.
 *
 * A body may be made more than once under one id (a bounce made again after a stop, with other bytes, or
 * while a first making lies unfinished). So every making has a name of its own, which goes into the ids of
 * its events: the event store would call pieces with the same ids repetitions, and write nothing.
 */
import { randomUUID } from 'node:crypto';
import type { BinaryEventData, RecordedEvent } from '@kurrent/kurrentdb-client';
import { eventId } from '../../log/event-id.ts';

export const bodyPrefix = 'body-';
export const bodyStream = (id: string): string => `${bodyPrefix}${id}`;

/** Fits, with all that goes with it, into what every release takes at once (1 MiB). */
export const chunkBytes = 768 * 1024;

export const newMaking = (): string => randomUUID();

/** One piece: the revision of its event, and which byte of the body it begins with. */
export type Piece = { readonly revision: number; readonly offset: number };

/** What the last event of a making says. Strings: metadata is flat, so that both protocols carry it. */
export type Seal = {
  readonly sha256: string;
  readonly bytes: number;
  /** All pieces but the last, in order. */
  readonly before: readonly Piece[];
  /** Where the last one begins. */
  readonly offset: number;
};

export function toChunk(
  id: string,
  ordinal: number,
  making: string,
  data: Uint8Array,
  seal?: Seal,
): BinaryEventData {
  return {
    id: eventId(bodyStream(id), ordinal, timeOf(id), making),
    contentType: 'application/octet-stream',
    type: 'BodyChunk',
    data,
    metadata: { making, ...(seal === undefined ? {} : formatSeal(seal)) },
  };
}

/** The first 48 bits of a UUIDv7 are milliseconds. */
const timeOf = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

const formatSeal = ({ sha256, bytes, before, offset }: Seal) => ({
  sha256,
  bytes: String(bytes),
  before: before.map((piece) => `${piece.revision}:${piece.offset}`).join(' '),
  offset: String(offset),
});

/** `undefined`: a piece in the middle, or nothing of ours. */
export function sealOf({ metadata }: Pick<RecordedEvent, 'metadata'>): Seal | undefined {
  const { sha256, bytes, before, offset } = (metadata ?? {}) as { [key: string]: unknown };
  if (typeof sha256 !== 'string' || typeof before !== 'string') return undefined;
  const pieces = before.split(' ').filter((word) => word !== '');
  return {
    ...{ sha256, bytes: Number(bytes), offset: Number(offset) },
    before: pieces.map((word) => {
      const [revision, at] = word.split(':');
      return { revision: Number(revision), offset: Number(at) };
    }),
  };
}
