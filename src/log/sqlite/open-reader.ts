/** The embedded log as another process reads it, whether or not an engine is writing to it. */
import type { DatabaseSync } from 'node:sqlite';
import {
  Subject,
  distinctUntilChanged,
  filter,
  map,
  takeUntil,
  timer,
  type Observable,
} from 'rxjs';
import type { Damage, LogReader, LogSignal, Position } from '../ports.ts';
import { subscribeTo } from '../subscription.ts';
import { selectBody } from './bodies.ts';
import { Damages } from './damages.ts';
import { SqliteReader } from './reader.ts';
import { toStreamKey } from './rows.ts';
import { openForReading } from './schema.ts';
import { toTrouble, unavailable } from './sqlite-trouble.ts';

export type ReadOnlyLog = LogReader & {
  /** The bytes of a body kept in the log itself, while it is kept. */
  readBody(stream: string): Uint8Array | undefined;
  /** What SQLite itself finds wrong with the file, a line each; walks through all of it. */
  check(): readonly string[];
  /** Subscriptions end with it. */
  close(): void;
};

/** Opens `file` for reading; throws `log-unavailable` when it is no log of ours. */
export function openReader(
  file: string,
  options: { readonly pollMs?: number; readonly onDamage?: (damage: Damage) => void } = {},
): ReadOnlyLog {
  const damages = new Damages(options.onDamage);
  const { db, reader, version, bodyOf } = prepare(file, damages);
  const closed$ = new Subject<void>();
  let isClosed = false;

  const whileOpen = <T>(read: () => T): T => {
    if (isClosed) throw unavailable('the log is closed');
    try {
      return read();
    } catch (cause) {
      throw toTrouble(cause);
    }
  };
  // Cheap: SQLite answers from shared memory whether anyone has committed since.
  const moved$: Observable<Position> = timer(0, options.pollMs ?? 100).pipe(
    takeUntil(closed$),
    map(() => whileOpen(() => (version.get() as { data_version: number }).data_version)),
    distinctUntilChanged(),
    map(() => whileOpen(() => reader.head())),
    filter((head) => head > 0),
  );
  const log: ReadOnlyLog = {
    readStream: async (stream, wanted) => whileOpen(() => reader.readStream(stream, wanted)),
    readAll: async (wanted) => whileOpen(() => reader.readAll(wanted)),
    head: async () => whileOpen(() => reader.head()),
    subscribe: (from): Observable<LogSignal> => subscribeTo(log, moved$, from),
    damages: () => damages.all(),
    readBody: (stream) =>
      whileOpen(() => bodyOf.get(toStreamKey(stream)) as { content: Uint8Array } | undefined)
        ?.content,
    check: () => whileOpen(() => checkFile(db)),
    close: () => {
      isClosed = true;
      closed$.next();
      db.close();
    },
  };
  return log;
}

function prepare(file: string, damages: Damages) {
  const db = openForReading(file);
  try {
    return {
      db,
      reader: new SqliteReader(db, damages),
      version: db.prepare('PRAGMA data_version'),
      bodyOf: db.prepare(selectBody),
    };
  } catch (cause) {
    db.close();
    throw toTrouble(cause);
  }
}

/** Finds what no reader can: an index that leaves an event out, a page that is in nobody's hands. */
function checkFile(db: DatabaseSync): readonly string[] {
  const found = db.prepare('PRAGMA integrity_check').all() as unknown as {
    integrity_check: string;
  }[];
  return found.map((row) => row.integrity_check).filter((line) => line !== 'ok');
}
