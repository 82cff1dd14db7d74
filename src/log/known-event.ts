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

/** Whether the event stands in the log where it stood then. */
export async function stillThere(log: Log, known: KnownEvent): Promise<boolean> {
  const there = await eventAt(log, known.position);
  return (
    there?.stream === known.stream && there.revision === known.revision && there.at === known.at
  );
}
