/**
 * Removes bodies that no letter needs: a stop between body and event leaves one behind, as does a removal
 * that was not made. Walks over the bodies written since the last time; those of the last day stay.
 */
import type { KurrentDBClient, RecordedEvent } from '@kurrent/kurrentdb-client';
import type { Connection } from '../../log/kurrentdb/connection.ts';
import { toPosition, toStoredPosition } from '../../log/kurrentdb/event-shape.ts';
import { isPosition } from '../../log/kurrentdb/is-position.ts';
import { collect } from '../../log/kurrentdb/pages.ts';
import { limitMs, patienceMs } from '../../log/kurrentdb/patience.ts';
import { surely, type Patience } from '../../log/kurrentdb/surely.ts';
import { faultOf } from '../../log/kurrentdb/what-went-wrong.ts';
import type { LogReader, Position } from '../../log/ports.ts';
import type { Instant } from '../../platform/clock.ts';
import type { Spool } from '../ports.ts';
import { bodyPrefix } from './chunk-shape.ts';

export type SweepParts = {
  readonly connection: Connection;
  readonly log: Pick<LogReader, 'readStream'>;
  readonly spool: Pick<Spool, 'remove'>;
  /** Whether a letter that waits needs it: asked before the log is. */
  readonly isNeeded: (id: string) => boolean;
  readonly now: Instant;
  /** Where the last sweep ended; 0: from the first. */
  readonly from: Position;
  readonly maxAgeMs?: number;
  readonly patience?: Patience;
};

const dayMs = 86_400_000;
/** Bodies come with what is read of them: some 6 MiB at once, 48 where large ones follow small ones. */
const pageBytes = 6 * 1024 * 1024;
const fewestEvents = 8;
const mostEvents = 64;

export async function sweepBodies(
  parts: SweepParts,
): Promise<{ readonly removed: number; readonly upTo: Position }> {
  const { maxAgeMs = dayMs } = parts;
  let [removed, upTo]: [number, Position] = [0, await startOf(parts)];
  let seen: string | undefined;
  const now = await nowThere(parts);
  for (let count = fewestEvents; ;) {
    const page = await bodiesAfter(upTo, count, parts);
    for (const event of page) {
      if (now - event.created.getTime() < maxAgeMs) return { removed, upTo };
      const id = event.streamId.slice(bodyPrefix.length);
      // The pieces of one body mostly follow each other; most of them were removed with their letter.
      if (id !== seen && (await isThere(event.streamId, parts))) {
        if (!(await isStillNeeded(id, parts))) {
          await parts.spool.remove([id]);
          removed += 1;
        }
      }
      seen = id;
      upTo = toPosition(event.position).position;
    }
    if (page.length === 0) return { removed, upTo };
    const largest = Math.max(
      ...page.map(({ data }) => (data as Partial<Uint8Array>).byteLength ?? 0),
    );
    count = Math.min(mostEvents, Math.max(fewestEvents, Math.floor(pageBytes / (largest + 1))));
  }
}

/** By the clock that dates the bodies: ours may be a day ahead of it, and letters may be on their way. */
async function nowThere({ connection, now, patience = usual }: SweepParts): Promise<Instant> {
  const [last] = await surely(connection, 'a sweep', patience, (client) =>
    collect(client.readAll({ direction: 'backwards', fromPosition: 'end', maxCount: 1 })),
  );
  return Math.min(now, last?.created.getTime() ?? now);
}

/** To remove what has been removed would be written down once more. */
async function isThere(stream: string, parts: SweepParts): Promise<boolean> {
  const { connection, patience = usual } = parts;
  const from = { direction: 'backwards', fromRevision: 'end', maxCount: 1 } as const;
  try {
    const read = (client: KurrentDBClient) => collect(client.readStream(stream, from));
    return (await surely(connection, 'a sweep', patience, read)).length > 0;
  } catch (cause) {
    if (['stream-not-found', 'stream-deleted'].includes(faultOf(cause))) return false;
    throw cause;
  }
}

async function isStillNeeded(id: string, { isNeeded, log }: SweepParts): Promise<boolean> {
  if (isNeeded(id)) return true;
  const [last] = await log.readStream(`message-${id}`, { direction: 'backwards', limit: 1 });
  return last !== undefined && last.type !== 'MessageCleanedUp';
}

const usual: Patience = {
  limitMs: limitMs.sweep,
  mostLimitMs: limitMs.longestWalk,
  patienceMs: patienceMs.sweep,
};

/** From the beginning where the event store does not know the position: it may be another one by now. */
async function startOf({ connection, from, patience = usual }: SweepParts): Promise<Position> {
  if (from === 0) return 0;
  const isKnown = await surely(connection, 'a sweep', patience, isPosition(from, [bodyPrefix]));
  return isKnown ? from : 0;
}

async function bodiesAfter(
  after: Position,
  count: number,
  { connection, patience = usual }: SweepParts,
): Promise<readonly RecordedEvent[]> {
  const filter = { filterOn: 'streamName', prefixes: [bodyPrefix] } as never;
  const fromPosition = after === 0 ? 'start' : toStoredPosition(after);
  const page = await surely(connection, 'a sweep', patience, (client) =>
    collect(client.readAll({ fromPosition, maxCount: count + 1, filter })),
  );
  return page.filter(({ position }) => toPosition(position).position > after);
}
