/**
 * The tables of the embedded log. `user_version` is the format; a release refuses to write to a
 * log of a newer format than it knows. Reasons: docs/decisions/0002-embedded-log.md.
 *
 * `event.stream` is the 16 bytes of the id for a letter's stream and text for all others: one index
 * right-edged in time order, no table of streams. `body.bid` is the position of the event that a body
 * came with: never given twice, so that no letter ever reads or removes another's body.
 */
import { closeSync, fchmodSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Trouble } from '../../mail/trouble.ts';
import { syncPath } from '../../platform/sync-path.ts';
import { isForeign, toTrouble } from './sqlite-trouble.ts';

/** 'WAYB' */
export const applicationId = 0x57415942;
export const format = 1;
/** Fixed when the file is made. */
export const pageBytes = 8192;

const tables = `
CREATE TABLE type (tid INTEGER PRIMARY KEY, name TEXT NOT NULL, v INTEGER NOT NULL, UNIQUE (name, v));
CREATE TABLE event (
  pos INTEGER PRIMARY KEY,
  stream NOT NULL,
  rev INTEGER NOT NULL,
  type INTEGER NOT NULL REFERENCES type (tid),
  at INTEGER NOT NULL,
  sum INTEGER NOT NULL,
  data TEXT NOT NULL
);
CREATE UNIQUE INDEX event_stream ON event (stream, rev);
CREATE TABLE body (bid INTEGER PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE VIEW events AS
  SELECT pos AS position,
    CASE typeof(stream) WHEN 'blob'
      THEN 'message-' || lower(substr(hex(stream), 1, 8) || '-' || substr(hex(stream), 9, 4) || '-' ||
        substr(hex(stream), 13, 4) || '-' || substr(hex(stream), 17, 4) || '-' || substr(hex(stream), 21))
      ELSE stream END AS stream,
    rev AS revision, type.name AS type, type.v AS v,
    strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS at, data
  FROM event JOIN type ON type.tid = event.type;
`;

/** Opens the log for writing, making it if need be. The caller holds the lock of the data directory. */
export function openForWriting(file: string, maxBytes?: number): DatabaseSync {
  makeReadable(file);
  return openChecked(file, false, (db) => {
    if (isEmpty(db)) create(db, file);
    refuseStrangers(db, file);
    db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA wal_autocheckpoint = 0;
      PRAGMA journal_size_limit = 67108864;
      PRAGMA cache_size = -8192;
      PRAGMA temp_store = MEMORY;
    `);
    if (maxBytes !== undefined) {
      db.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxBytes / pageBytes))}`);
    }
  });
}

/**
 * A folder that a group may look into is for readers of that group: the desk. SQLite gives the files beside the
 * database the mode of the database, so a new one has it from the first moment.
 */
function makeReadable(file: string): void {
  try {
    if ((statSync(dirname(file)).mode & 0o040) === 0) return;
    const fd = openSync(file, 'ax', 0o640);
    try {
      fchmodSync(fd, 0o640);
    } finally {
      closeSync(fd);
    }
  } catch {
    // It is there already, or cannot be made, which is told when it is opened.
  }
}

/** A twentieth faster through a long log, at the price of its pages in our memory (PSS): for commands, not for roles. */
const mappedBytes = 2 ** 30;

/** Opens the log for reading only; works while it is written and while nobody writes. */
export function openForReading(file: string, mapped = false): DatabaseSync {
  return openChecked(file, true, (db) => {
    db.exec('PRAGMA busy_timeout = 5000');
    refuseStrangers(db, file);
    db.exec(`PRAGMA mmap_size = ${mapped ? mappedBytes : 0}; PRAGMA query_only = ON`);
  });
}

function openChecked(
  file: string,
  readOnly: boolean,
  prepare: (db: DatabaseSync) => void,
): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { readOnly, enableForeignKeyConstraints: false });
    prepare(db);
    return db;
  } catch (cause) {
    db?.close();
    throw toTrouble(isForeign(cause) ? notOurs(file, cause) : cause);
  }
}

function create(db: DatabaseSync, file: string): void {
  // In this order, before the first table: page size and vacuum mode are fixed from then on.
  db.exec(`
    PRAGMA page_size = ${pageBytes};
    PRAGMA auto_vacuum = INCREMENTAL;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    BEGIN IMMEDIATE;
    ${tables}
    PRAGMA application_id = ${applicationId};
    PRAGMA user_version = ${format};
    COMMIT;
  `);
  syncPath(dirname(file));
}

/** A new file, or one whose making was cut short. Another program's tables are never written into. */
function isEmpty(db: DatabaseSync): boolean {
  const { tables: count } = db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() as {
    tables: number;
  };
  return count === 0 && pragma(db, 'user_version') === 0 && pragma(db, 'application_id') === 0;
}

function refuseStrangers(db: DatabaseSync, file: string): void {
  if (pragma(db, 'application_id') !== applicationId) throw notOurs(file);
  const found = pragma(db, 'user_version');
  if (found > 0 && found <= format) return;
  throw refusal(`${file} has format ${found}; this release knows formats up to ${format}`);
}

const pragma = (db: DatabaseSync, name: 'user_version' | 'application_id'): number =>
  (db.prepare(`PRAGMA ${name}`).get() as Record<string, number>)[name]!;

const notOurs = (file: string, cause?: unknown): Trouble =>
  refusal(`${file} is not a log of Waybill`, cause);

const refusal = (detail: string, cause?: unknown): Trouble =>
  new Trouble('log-unavailable', {
    tryAgain: false,
    peer: 'log unavailable (#4.3.0)',
    detail,
    cause,
  });
