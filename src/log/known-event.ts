/** Whether this is the log that somebody has read before: by one event that stood in it, and where. */
import { logStart, type LogReader, type Position, type RecordedEvent } from './ports.ts';

export type KnownEvent = Pick<RecordedEvent, 'position' | 'stream' | 'revision' | 'at'>;

type Log = Pick<LogReader, 'readAll'>;

/** The event at a position; `undefined` when there is none, or it is damaged. */
export async function eventAt(log: Log, position: Position): Promise<RecordedEvent | undefined> {
  if (position === logStart) return undefined;
  const [there] = await log.readAll({ after: position - 1, limit: 1 });
  return there?.position === position ? there : undefined;
}

/**
 * Whether the event stands in the log where it stood then. One of a stream whose old events go (`keepYoungest`)
 * may be gone: then the stream goes on after it, and no other log has a stream of that name.
 */
export async function stillThere(
  log: Pick<LogReader, 'readAll' | 'readStream'>,
  known: KnownEvent,
): Promise<boolean> {
  const { position, stream, revision, at } = known;
  const there = await eventAt(log, position);
  if (there !== undefined) {
    return there.stream === stream && there.revision === revision && there.at === at;
  }
  if (!mayBeGone(stream)) return false;
  const [next] = await log.readStream(stream, { from: revision, limit: 1 });
  return next !== undefined && next.revision > revision && next.position > position;
}

/** Whether old events of the stream may be gone: leases are told of again and again. */
export const mayBeGone = (stream: string): boolean => stream.startsWith('lease-');
