/**
 * The files of the views in their directory. `waybill-views.db` is a link to the database that is served;
 * a new one is computed beside it and takes its place when it has caught up. Who has the old one open may
 * go on reading it.
 */
import {
  existsSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statfsSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { logStart, type Position } from '../../log/ports.ts';
import { lockDirectory, type DirectoryLock } from '../../log/sqlite/lock.ts';
import { viewsFingerprint } from '../fold.ts';
import { createViews, viewsApplicationId } from './schema.ts';
import type { LastEvent } from './writer.ts';

/** What an analyst opens. */
export const servedName = 'waybill-views.db';
const nextName = 'waybill-views-next.db';
const lockName = 'waybill-views.lock';
const ownName = /^waybill-views-[0-9a-z]+\.db(-wal|-shm)?$/;
const besides = ['', '-wal', '-shm'] as const;

/** What a database says of itself. */
export type ViewsMeta = {
  readonly last: LastEvent | undefined;
  /** Everything up to here is folded; beyond `last` there was nothing that stays in the log for good. */
  readonly upTo: Position;
  readonly letters: number;
};

/** Name of the file that is served; `undefined`: there is none. */
export function servedFile(directory: string): string | undefined {
  try {
    const name = readlinkSync(join(directory, servedName));
    return ownName.test(name) && existsSync(join(directory, name)) ? name : undefined;
  } catch {
    return undefined;
  }
}

/** One at a time computes new views; throws `log-in-use` while another does. */
export const lockForBuilding = (directory: string): DirectoryLock =>
  lockDirectory(join(directory, lockName));

/** The database, for writing; `undefined` when it is none, or of another release. */
export function openServed(directory: string, name: string): DatabaseSync | undefined {
  return openSound(join(directory, name));
}

/** The database that is being computed, as a stop left it, or a new one. The caller holds the lock. */
export function openNext(directory: string, afresh: boolean): DatabaseSync {
  const file = join(directory, nextName);
  if (!afresh && existsSync(file)) {
    const db = openSound(file);
    if (db !== undefined) return db;
  }
  for (const suffix of besides) rmSync(file + suffix, { force: true });
  const db = new DatabaseSync(file);
  db.exec(createViews);
  db.prepare('INSERT INTO meta VALUES (?, ?)').run('fingerprint', viewsFingerprint);
  tune(db);
  return db;
}

/** How far the database that is being computed has got. */
export function readNext(directory: string): ViewsMeta | undefined {
  const file = join(directory, nextName);
  if (!existsSync(file)) return undefined;
  const db = openSound(file, true);
  try {
    return db && readMeta(db);
  } finally {
    db?.close();
  }
}

/** Serves what was computed. A stop in between leaves the old one served. The caller has closed it. */
export function serveNext(directory: string, now: number): void {
  const name = `waybill-views-${now.toString(36)}.db`;
  const link = join(directory, `${servedName}.new`);
  renameSync(join(directory, nextName), join(directory, name));
  rmSync(link, { force: true });
  symlinkSync(name, link);
  renameSync(link, join(directory, servedName));
  removeOthers(directory, name);
}

function removeOthers(directory: string, served: string): void {
  for (const name of readdirSync(directory)) {
    const isKept = name.startsWith(served) || name.startsWith(nextName);
    if (!isKept && ownName.test(name)) rmSync(join(directory, name), { force: true });
  }
}

export function readMeta(db: DatabaseSync): ViewsMeta {
  const row = db.prepare("SELECT value FROM meta WHERE key = 'last'").get() as
    { value: string } | undefined;
  if (row === undefined) return { last: undefined, upTo: logStart, letters: 0 };
  const { letters, upTo, ...last } = JSON.parse(row.value) as LastEvent & {
    letters: number;
    upTo?: Position;
  };
  return { last, upTo: upTo ?? last.position, letters };
}

/** Free bytes of its disk. */
export function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}

/** Opens what is a view database of this release; anything else is no reason to fail. */
export function openSound(file: string, readOnly = false): DatabaseSync | undefined {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { readOnly, enableForeignKeyConstraints: false });
    db.exec('PRAGMA busy_timeout = 5000; PRAGMA trusted_schema = OFF');
    const { application_id: id } = db.prepare('PRAGMA application_id').get() as {
      application_id: number;
    };
    const made = db.prepare("SELECT value FROM meta WHERE key = 'fingerprint'").get() as
      { value: string } | undefined;
    if (id === viewsApplicationId && made?.value === viewsFingerprint) {
      if (!readOnly) tune(db);
      else db.exec('PRAGMA query_only = ON');
      return db;
    }
  } catch {
    // Half made, or damaged: computed again.
  }
  db?.close();
  return undefined;
}

/** A power cut may take the last batches, and they are folded again. */
const tune = (db: DatabaseSync): void =>
  db.exec(`PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -16384;
    PRAGMA journal_size_limit = 67108864; PRAGMA temp_store = MEMORY`);
