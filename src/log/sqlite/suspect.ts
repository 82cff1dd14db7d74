/**
 * A log whose sync failed. The kernel reports such a failure once and may call the pages clean all the
 * same, so that a later sync proves nothing (fsyncgate). Whoever sees it writes no more, folds nothing
 * back and leaves a mark beside the file; whoever opens the file next looks it over first, writes all
 * that the write-ahead log holds into the file again, and only then takes the mark away.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Trouble } from '../../mail/trouble.ts';
import { syncPath } from '../../platform/sync-path.ts';
import { logStart, type Position } from '../ports.ts';
import { Damages } from './damages.ts';
import { SqliteReader } from './reader.ts';
import { openForReading } from './schema.ts';

/** The file beside the log that says so, in a line of JSON. */
export const suspectMark = (file: string): string => `${file}.suspect`;

/** So many of the youngest events are read again, each against its sum. */
const tailEvents = 20_000;

export type Suspicion = { readonly at: string; readonly what: string };

/** Best effort: the disk that failed may not take the mark either; then the log line alone says it. */
export function markSuspect(file: string, what: string): void {
  const mark = suspectMark(file);
  try {
    const at = new Date().toISOString();
    writeFileSync(mark, `${JSON.stringify({ at, what } satisfies Suspicion)}\n`, {
      mode: 0o600,
      flush: true,
    });
    syncPath(dirname(mark));
  } catch {
    // Nothing more can be done from here.
  }
}

/** The mark, if there is one; a mark that cannot be read is one nevertheless. */
export function readSuspicion(file: string): Suspicion | undefined {
  const mark = suspectMark(file);
  if (!existsSync(mark)) return undefined;
  try {
    return JSON.parse(readFileSync(mark, 'utf8')) as Suspicion;
  } catch {
    return { at: 'some time ago', what: 'a sync failed' };
  }
}

/** What was looked at. */
export type Cleared = Suspicion & { readonly head: Position; readonly events: number };

/**
 * Looks a suspect log over and clears it; `undefined` when nothing was suspected. `db` is open for
 * writing, and nobody has written since. Throws `log-damaged` when the file does not hold, or as
 * SQLite does when the disk still fails: nothing is written to such a log.
 */
export function clearSuspicion(db: DatabaseSync, file: string): Cleared | undefined {
  const suspicion = readSuspicion(file);
  if (suspicion === undefined) return undefined;
  refuseBadStructure(db, file);
  const looked = rereadTail(db, file);
  writeAgain(db, file);
  rmSync(suspectMark(file), { force: true });
  syncPath(dirname(file));
  return { ...suspicion, ...looked };
}

/**
 * Closes a suspect log without SQLite's parting fold: the last one to close folds, unless it may not
 * write. So somebody who may not write is there until the end.
 */
export function closeSuspect(db: DatabaseSync, file: string): void {
  let witness: DatabaseSync;
  try {
    witness = openForReading(file);
  } catch {
    // Better open than folded: a process that exits closes nothing by SQLite's rules.
    return;
  }
  try {
    db.close();
  } finally {
    witness.close();
  }
}

function refuseBadStructure(db: DatabaseSync, file: string): void {
  const rows = db.prepare('PRAGMA quick_check(20)').all() as { quick_check: string }[];
  const found = rows.map((row) => row.quick_check).filter((line) => line !== 'ok');
  if (found.length > 0) throw refusal(file, found.slice(0, 3).join('; '));
}

function rereadTail(db: DatabaseSync, file: string): { head: Position; events: number } {
  const damages = new Damages();
  const reader = new SqliteReader(db, damages);
  const head = reader.head();
  const after = Math.max(logStart, head - tailEvents);
  const events = reader.readAll({ after, limit: tailEvents }).length;
  const [damage] = damages.all();
  if (damage !== undefined) throw refusal(file, `event ${damage.position}: ${damage.what}`);
  return { head, events };
}

/** Every page that the write-ahead log holds goes to the file and is synced there: a sync that can be believed. */
function writeAgain(db: DatabaseSync, file: string): void {
  const { log, checkpointed } = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as {
    log: number;
    checkpointed: number;
  };
  if (checkpointed < log) throw refusal(file, 'another process reads it: stop that one first');
}

const refusal = (file: string, what: string): Trouble =>
  new Trouble('log-damaged', {
    tryAgain: true,
    peer: 'log damaged (#4.3.0)',
    detail:
      `a sync of ${file} failed, and it did not pass the check that must come before it is written again: ${what}. ` +
      `Put a sound copy back, or remove ${suspectMark(file)} to go on with what there is`,
  });
