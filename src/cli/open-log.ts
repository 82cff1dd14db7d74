/** The log of a data directory, opened for reading and closed when the question is answered. */
import type { LogAtHand } from '../log/at-hand.ts';
import type { Damage, EventLog, Position, StreamName } from '../log/ports.ts';
import { openReader } from '../log/sqlite/open-reader.ts';
import { openStreamFinder } from '../log/sqlite/find-streams.ts';
import type { BodyRef, MessageId } from '../mail/envelope.ts';
import type { Instant } from '../platform/clock.ts';
import { findLetter } from '../trace/letter-name.ts';
import { readNodeHistory, type NodeHistory } from '../trace/rules-of-the-day.ts';
import { positionAt } from '../trace/why.ts';
import { safe } from '../trace/words.ts';
import {
  dataFiles,
  eventStoreOf,
  refuseMissingLog,
  type DataFiles,
  type Places,
} from './places.ts';

export type OpenedLog = {
  readonly log: LogAtHand;
  readonly files: DataFiles;
  /** What positions count, for a person who waits: in an event store other people's bytes, too. */
  readonly unit: 'events' | 'bytes';
  /** The letter that a person means; throws `not-found`. */
  letter(text: string): Promise<MessageId>;
  /** The last event that is not later than an instant; 0 when there is none. */
  positionAt(instant: Instant): Promise<Position>;
  /** Nothing beyond `upTo` is looked at. */
  nodeHistory(upTo?: Position): Promise<NodeHistory>;
  /** Streams of a category other than `message`: `node`, `door`. */
  streams(category: string): Promise<readonly StreamName[]>;
  /** The bytes of a body; absent where they are in the log's file, or in files of their own. */
  readonly body?: (ref: BodyRef) => AsyncIterable<Uint8Array>;
  /** The same log for writing, while no engine runs. Throws `log-in-use`. */
  writer(): Promise<EventLog>;
};

/** Works while an engine writes to the log and while none does. Damage met on the way is told on stderr, once. */
export async function withLog<T>(
  places: Places,
  use: (opened: OpenedLog) => Promise<T>,
  onDamage: (damage: Damage) => void = complain,
): Promise<T> {
  const store = await eventStoreOf(places);
  if (store !== undefined) {
    const { withEventStore } = await import('./open-event-store.ts');
    return withEventStore(places, store, use, onDamage);
  }
  const files = dataFiles(places.data);
  refuseMissingLog(files);
  const log = openReader(files.log, { onDamage, mapped: true });
  const finder = openStreamFinder(files.log);
  try {
    return await use({
      ...{ log, files, unit: 'events' },
      letter: async (text) => findLetter(text, (part, limit) => finder.letters(part, limit)),
      positionAt: (instant) => positionAt(log, instant),
      nodeHistory: (upTo) => readNodeHistory(log, finder.category('node'), upTo),
      streams: async (category) => finder.category(category),
      // Loaded only for an order that no engine takes.
      writer: async () => {
        const { SqliteLog } = await import('../log/sqlite/sqlite-log.ts');
        return new SqliteLog(files.log);
      },
    });
  } finally {
    finder.close();
    log.close();
  }
}

function complain({ position, stream, what }: Damage): void {
  const place = stream === undefined ? '' : ` of ${safe(stream)}`;
  console.error(`waybill: event ${position}${place} is damaged: ${safe(what)}`);
}
