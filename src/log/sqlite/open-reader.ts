/** The embedded log as another process reads it, whether or not an engine is writing to it. */
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
  /** Subscriptions end with it. */
  close(): void;
};

/** Opens `file` for reading; throws `log-unavailable` when it is no log of ours. */
export function openReader(
  file: string,
  options: { readonly pollMs?: number; readonly onDamage?: (damage: Damage) => void } = {},
): ReadOnlyLog {
  const db = openForReading(file);
  const damages = new Damages(options.onDamage);
  const reader = new SqliteReader(db, damages);
  const version = db.prepare('PRAGMA data_version');
  const bodyOf = db.prepare(selectBody);
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
    close: () => {
      isClosed = true;
      closed$.next();
      db.close();
    },
  };
  return log;
}
