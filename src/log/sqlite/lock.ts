/**
 * One writer per data directory. The lock is SQLite's own exclusive lock on a small file beside the
 * log: the kernel drops it when its holder dies, however it dies, and no stale file is left to judge.
 */
import { DatabaseSync } from 'node:sqlite';
import { Trouble } from '../../mail/trouble.ts';
import { isContention, unavailable } from './sqlite-trouble.ts';

export type DirectoryLock = { release(): void };

/** Takes the lock at once, or throws: `log-in-use`, or `log-unavailable` where nothing can be written. */
export function lockDirectory(file: string): DirectoryLock {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file);
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (cause) {
    db?.close();
    if (!isContention(cause))
      throw unavailable(`${file} cannot be locked: ${String(cause)}`, cause);
    throw new Trouble('log-in-use', {
      tryAgain: true,
      peer: 'log is in use (#4.3.0)',
      detail: `another process is writing to this log (${file} is locked)`,
      cause,
    });
  }
  const held = db;
  return { release: () => held.close() };
}
