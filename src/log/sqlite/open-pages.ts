/**
 * The embedded log as another process reads it, page by page, whether or not an engine is writing to it.
 * Loads nothing that following the log takes: small programs ask and go.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { Damage, EventText, LogReader, ReadAll } from '../ports.ts';
import { selectBody } from './bodies.ts';
import { Damages } from './damages.ts';
import { SqliteReader } from './reader.ts';
import { toStreamKey } from './rows.ts';
import { openForReading } from './schema.ts';
import { toTrouble, unavailable } from './sqlite-trouble.ts';
import { onceWhole } from './torn-index.ts';

export type LogPages = Omit<LogReader, 'subscribe'> & {
  /** A page as `readAll` gives it, with the events' data as text. */
  readTexts(options: ReadAll): readonly EventText[];
  /** Another number than last time when anybody has committed since. Cheap: answered from shared memory. */
  version(): number;
  /** The bytes of a body kept in the log itself, while it is kept. */
  readBody(stream: string): Uint8Array | undefined;
  /** What SQLite itself finds wrong with the file, a line each; walks through all of it. */
  check(): readonly string[];
  close(): void;
};

/** Opens `file` for reading; throws `log-unavailable` when it is no log of ours. */
export function openPages(
  file: string,
  onDamage?: (damage: Damage) => void,
  mapped = false,
): LogPages {
  const damages = new Damages(onDamage);
  const { db, reader, version, bodyOf } = prepare(file, damages, mapped);
  let isClosed = false;

  const whileOpen = <T>(read: () => T): T => {
    if (isClosed) throw unavailable('the log is closed');
    try {
      return onceWhole(read);
    } catch (cause) {
      throw toTrouble(cause);
    }
  };
  return {
    readStream: async (stream, wanted) => whileOpen(() => reader.readStream(stream, wanted)),
    readAll: async (wanted) => whileOpen(() => reader.readAll(wanted)),
    readTexts: (wanted) => whileOpen(() => reader.readTexts(wanted)),
    version: () => whileOpen(() => (version.get() as { data_version: number }).data_version),
    head: async () => whileOpen(() => reader.head()),
    damages: () => damages.all(),
    readBody: (stream) =>
      whileOpen(() => bodyOf.get(toStreamKey(stream)) as { content: Uint8Array } | undefined)
        ?.content,
    check: () => whileOpen(() => checkFile(db)),
    close: () => {
      isClosed = true;
      db.close();
    },
  };
}

function prepare(file: string, damages: Damages, mapped: boolean) {
  const db = onceWhole(() => openForReading(file, mapped));
  try {
    return onceWhole(() => ({
      db,
      reader: new SqliteReader(db, damages),
      version: db.prepare('PRAGMA data_version'),
      bodyOf: db.prepare(selectBody),
    }));
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
