/**
 * Removes bodies that no letter needs: a stop between body and event leaves one behind, as does a removal
 * that was not made. Walks over the bodies written since the last time; those of the last day stay.
 */
import type { RecordedEvent } from '@kurrent/kurrentdb-client';
import type { Connection } from '../../log/kurrentdb/connection.ts';
import { toPosition } from '../../log/kurrentdb/event-shape.ts';
import { collect, toStoredPosition } from '../../log/kurrentdb/pages.ts';
import { surely, type Patience } from '../../log/kurrentdb/surely.ts';
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
/** Up to 6 MiB of bodies at once. */
const pageEvents = 8;

export async function sweepBodies(
  parts: SweepParts,
): Promise<{ readonly removed: number; readonly upTo: Position }> {
  const { now, maxAgeMs = dayMs, from } = parts;
  let [removed, upTo]: [number, Position] = [0, from];
  let seen: string | undefined;
  for (;;) {
    const page = await bodiesAfter(upTo, parts);
    for (const event of page) {
      if (now - event.created.getTime() < maxAgeMs) return { removed, upTo };
      const id = event.streamId.slice(bodyPrefix.length);
      if (id !== seen && !(await isStillNeeded(id, parts))) {
        await parts.spool.remove([id]);
        removed += 1;
      }
      // The pieces of one body mostly follow each other.
      seen = id;
      upTo = toPosition(event.position).position;
    }
    if (page.length === 0) return { removed, upTo };
  }
}

async function isStillNeeded(id: string, { isNeeded, log }: SweepParts): Promise<boolean> {
  if (isNeeded(id)) return true;
  const [last] = await log.readStream(`message-${id}`, { direction: 'backwards', limit: 1 });
  return last !== undefined && last.type !== 'MessageCleanedUp';
}

async function bodiesAfter(
  after: Position,
  { connection, patience = { limitMs: 30_000, patienceMs: 60_000 } }: SweepParts,
): Promise<readonly RecordedEvent[]> {
  const filter = { filterOn: 'streamName', prefixes: [bodyPrefix] } as never;
  const fromPosition = after === 0 ? 'start' : toStoredPosition(after);
  const page = await surely(connection, 'a sweep', patience, (client) =>
    collect(
      client.readAll({ fromPosition, maxCount: pageEvents + 1, filter, ...connection.login }),
    ),
  );
  return page.filter(({ position }) => toPosition(position).position > after);
}
