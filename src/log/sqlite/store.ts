/** The open database of the writer and its statements, each prepared once. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { deleteBody, insertBody } from './bodies.ts';
import type { Damages } from './damages.ts';
import { SqliteReader } from './reader.ts';
import { openForWriting } from './schema.ts';
import { toTrouble } from './sqlite-trouble.ts';

export type Store = {
  readonly db: DatabaseSync;
  readonly reader: SqliteReader;
  readonly begin: StatementSync;
  readonly commit: StatementSync;
  readonly insert: StatementSync;
  readonly insertBody: StatementSync;
  readonly dropBody: StatementSync;
  typeId(name: string, v: number): number;
};

export function openStore(file: string, damages: Damages, maxBytes?: number): Store {
  const db = openForWriting(file, maxBytes);
  try {
    return {
      db,
      reader: new SqliteReader(db, damages),
      begin: db.prepare('BEGIN IMMEDIATE'),
      commit: db.prepare('COMMIT'),
      insert: db.prepare(
        'INSERT INTO event (pos, stream, rev, type, at, sum, data) VALUES (?, ?, ?, ?, ?, ?, ?)',
      ),
      insertBody: db.prepare(insertBody),
      dropBody: db.prepare(deleteBody),
      typeId: typeIds(db),
    };
  } catch (cause) {
    db.close();
    throw toTrouble(cause);
  }
}

/** The number of each event type, given at its first event. */
function typeIds(db: DatabaseSync): Store['typeId'] {
  const known = new Map<string, number>();
  const find = db.prepare('SELECT tid FROM type WHERE name = ? AND v = ?');
  const add = db.prepare('INSERT INTO type (name, v) VALUES (?, ?)');
  return (name, v) => {
    const key = `${name} ${v}`;
    const id = known.get(key);
    if (id !== undefined) return id;
    const found = find.get(name, v) as { tid: number } | undefined;
    if (found === undefined) return Number(add.run(name, v).lastInsertRowid);
    // Remembered only when found again: a type added in this very transaction may be rolled back,
    // and then this whole store is thrown away.
    known.set(key, found.tid);
    return found.tid;
  };
}
