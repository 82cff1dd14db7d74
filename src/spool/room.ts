/**
 * Room for more mail. Letters are turned away while there is little of it, and before there is none: the
 * deliveries of those that are here need a little, too, and only they give any back.
 */
import { statfsSync } from 'node:fs';
import { Trouble } from '../mail/trouble.ts';
import type { Clock, Moment } from '../platform/clock.ts';

export type RoomParts = {
  /** A directory on the disk that log and spool share. */
  readonly directory: string;
  /** Bytes that must be free; 0: nobody asks. */
  readonly leastBytes: number;
  /** Bytes that the log's own file would take before it grows. */
  readonly spareBytes: () => number;
  readonly clock: Pick<Clock, 'steady'>;
  /** Free bytes of a file system, for tests. */
  readonly freeBytes?: (directory: string) => number;
};

/** The disk is asked at most so often: at its fastest it fills by far less than `leastBytes` meanwhile. */
const everyMs = 100;

/** Why no letter can be taken now: `log-full`, or nothing. */
export function openRoom(parts: RoomParts): () => Trouble | undefined {
  const { directory, leastBytes, spareBytes, clock, freeBytes = freeOn } = parts;
  let asked: Moment = -Infinity;
  let refusal: Trouble | undefined;
  const look = (): Trouble | undefined => {
    try {
      const free = freeBytes(directory);
      // Its own spare room is asked for only where it matters.
      if (free >= leastBytes || free + spareBytes() >= leastBytes) return undefined;
      return little(free);
    } catch {
      // Whoever writes next will hear what is wrong.
      return undefined;
    }
  };
  return () => {
    if (leastBytes === 0) return undefined;
    const now = clock.steady();
    if (now - asked >= everyMs) {
      asked = now;
      refusal = look();
    }
    return refusal;
  };
}

function freeOn(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}

const little = (free: number): Trouble =>
  new Trouble('log-full', {
    tryAgain: true,
    peer: 'disk full (#4.3.1)',
    detail: `only ${Math.floor(free / 1024 / 1024)} MiB are free where the log lies ([log] min_free_mib)`,
  });
