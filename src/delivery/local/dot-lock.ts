/**
 * A lock on an mbox that other programs see: the file `NAME.lock`, made exclusively, as procmail, mutt and
 * dovecot do. Whoever knows only flock (qmail's own) or fcntl is kept out by `kernel-lock.ts`. A lock
 * older than five minutes belongs to nobody any more and is taken away.
 */
import { constants } from 'node:fs';
import type { Instant } from '../../platform/clock.ts';
import { errnoOf } from '../../platform/errno.ts';
import { writeAll, type FileCalls } from './file-calls.ts';

/** Whoever holds a lock for long touches it at least this often. */
export const staleMs = 300_000;

/** `impossible`: no lock can be made there; qmail-local then goes on without. */
export type LockAnswer = 'locked' | 'busy' | 'impossible';

/** Asks once. `now`: by which a lock is old; the file system's clock should be near it. */
export function tryLock(files: FileCalls, mbox: string, now: Instant): LockAnswer {
  const path = `${mbox}.lock`;
  const answer = make(files, path);
  if (answer !== 'busy' || !removeStale(files, path, now)) return answer;
  return make(files, path);
}

export function unlock(files: FileCalls, mbox: string): void {
  try {
    files.unlinkSync(`${mbox}.lock`);
  } catch {
    // Someone took it for stale. There is nothing left to give back.
  }
}

function make(files: FileCalls, path: string): LockAnswer {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  try {
    const fd = files.openSync(path, flags, 0o600);
    try {
      writeAll(files, fd, Buffer.from(`${process.pid}\n`));
    } finally {
      files.closeSync(fd);
    }
    return 'locked';
  } catch (cause) {
    return answerTo(cause);
  }
}

const answerTo = (cause: unknown): LockAnswer => {
  const errno = errnoOf(cause);
  if (errno === 'EEXIST') return 'busy';
  // The lock file stands, though its pid could not be written: the lock is what counts.
  return errno === 'ENOSPC' || errno === 'EDQUOT' ? 'locked' : 'impossible';
};

/**
 * Takes a stale lock away under a name of our own, and looks at it once more: between the first look and
 * the rename somebody may have replaced it by a fresh one, which then goes back.
 */
function removeStale(files: FileCalls, path: string, now: Instant): boolean {
  const aside = `${path}.${process.pid}.stale`;
  try {
    if (now - files.statSync(path).mtimeMs <= staleMs) return false;
    files.renameSync(path, aside);
    const stale = now - files.statSync(aside).mtimeMs > staleMs;
    if (!stale) files.linkSync(aside, path);
    files.unlinkSync(aside);
    return stale;
  } catch {
    return false;
  }
}
