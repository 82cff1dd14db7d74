/**
 * One letter at the end of one mbox (qmail-local mailfile, mbox(5), form mboxrd). Locked by a dot-lock and by
 * the kernel's locks, forced to disk, cut back to its old length when writing fails.
 *
 * What a stop leaves behind: a letter that is not whole, and the retry adds it again. A Maildir has
 * neither fault.
 */
import { constants } from 'node:fs';
import type { Clock, Moment } from '../../platform/clock.ts';
import { errorWords } from '../../platform/errno.ts';
import { staleMs, tryLock, unlock, type LockAnswer } from './dot-lock.ts';
import { sync, writeAll, type As, type FileCalls } from './file-calls.ts';
import { defer, type Halt } from './halt.ts';
import type { InTurn } from './in-turn.ts';
import { LetterUnreadable, type Letter } from './letter.ts';
import { quoteFrom } from './quote-from.ts';

export type MboxParts = {
  readonly files: FileCalls;
  readonly clock: Clock;
  /** Our own deliveries to one file wait for each other here, not at the lock. */
  readonly inTurn: InTurn;
  /** Locks against programs that know no dot-locks (`kernel-lock.ts`); tries for so many milliseconds. */
  readonly kernelLock?: (fd: number, waitMs: number) => Promise<LockAnswer>;
  readonly as: As;
};

export type MboxTask = {
  /** As the dot-qmail file spells it, for messages. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  /** From_ line, Return-Path and Delivered-To. */
  readonly head: string;
  readonly letter: Letter;
  /** Hears where the letter begins, in bytes. */
  readonly onPlaced?: (at: number) => void;
};

const lockLimitMs = 30_000;
const lockAgainMs = 250;
/** How long we hold a dot-lock while we wait for the kernel's: others may take the two the other way round. */
const kernelLockMs = 5_000;

/** `undefined`: the letter is in the file and on disk. */
export function deliverToMbox(parts: MboxParts, task: MboxTask): Promise<Halt | undefined> {
  const deadline = parts.clock.steady() + lockLimitMs;
  return parts.inTurn(task.path, async () => {
    for (;;) {
      const outcome = await attempt(parts, task, deadline);
      if (outcome !== 'moved') return outcome;
      if (parts.clock.steady() >= deadline) return lockedTooLong;
    }
  });
}

const lockedTooLong = defer('File has been locked for 30 seconds straight. (#4.3.0)');

/** `moved`: while we waited for the lock, somebody put another file in its place. */
async function attempt(
  parts: MboxParts,
  task: MboxTask,
  deadline: Moment,
): Promise<Halt | undefined | 'moved'> {
  const { files, as } = parts;
  const opened = as(() => open(files, task));
  if ('kind' in opened) return opened;
  const { fd, regular } = opened;
  try {
    const locks = regular ? await lock(parts, task.path, fd, deadline) : noLocks;
    if (locks === 'busy') return lockedTooLong;
    try {
      // A letter in a file that has no name any more would be lost.
      if (regular && as(() => isMoved(files, task.path, fd))) return 'moved';
      return await append(parts, task, fd, locks);
    } finally {
      if (locks.dot) as(() => unlock(files, task.path));
    }
  } finally {
    // The kernel's locks end with this.
    files.closeSync(fd);
  }
}

function isMoved(files: FileCalls, path: string, fd: number): boolean {
  const named = files.statSync(path, { throwIfNoEntry: false });
  const held = files.fstatSync(fd);
  return named?.ino !== held.ino || named.dev !== held.dev;
}

type Opened = { readonly fd: number; readonly regular: boolean };

/** A fifo without a reader or a terminal must not hold us up. */
function open(files: FileCalls, { name, path }: MboxTask): Opened | Halt {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK } = constants;
  try {
    const fd = files.openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, 0o600);
    return { fd, regular: files.fstatSync(fd).isFile() };
  } catch (cause) {
    return defer(`Unable to open ${name}: ${errorWords(cause)}. (#4.2.1)`);
  }
}

type Locks = { readonly dot: boolean; readonly kernel: boolean };

const noLocks: Locks = { dot: false, kernel: false };

/** All the locks that can be had, or `busy` by the deadline. */
async function lock(
  parts: MboxParts,
  path: string,
  fd: number,
  deadline: Moment,
): Promise<Locks | 'busy'> {
  const { files, clock, as, kernelLock } = parts;
  for (;;) {
    const dot = await dotLock(parts, path, deadline);
    if (dot === 'busy') return 'busy';
    const waitMs = Math.min(kernelLockMs, Math.max(1_000, deadline - clock.steady()));
    const kernel = (await kernelLock?.(fd, waitMs)) ?? 'impossible';
    if (kernel !== 'busy') return { dot: dot === 'locked', kernel: kernel === 'locked' };
    // Whoever has the kernel's lock may be waiting for our dot-lock.
    if (dot === 'locked') as(() => unlock(files, path));
    if (clock.steady() >= deadline) return 'busy';
    await pause(clock);
  }
}

async function dotLock(
  { files, clock, as }: MboxParts,
  path: string,
  deadline: Moment,
): Promise<LockAnswer> {
  for (;;) {
    const answer = as(() => tryLock(files, path, clock.now()));
    if (answer !== 'busy' || clock.steady() >= deadline) return answer;
    await pause(clock);
  }
}

const pause = (clock: Clock): Promise<void> =>
  new Promise((resolve) => clock.after(lockAgainMs, resolve));

async function append(
  { files, ...parts }: MboxParts,
  task: MboxTask,
  fd: number,
  locks: Locks,
): Promise<Halt | undefined> {
  // The end as it is now: while we waited for the lock others may have written.
  const { size, isRegular } = endOf(files, fd);
  try {
    await write({ files, ...parts }, task, fd, locks.dot);
    if (isRegular) await sync(files, fd);
    task.onPlaced?.(size);
    return undefined;
  } catch (cause) {
    // Without a lock, what we would cut off might be somebody else's.
    if (locks.dot || locks.kernel) cutBack(files, fd, size);
    const what = cause instanceof LetterUnreadable ? 'read message' : `write ${task.name}`;
    const why = cause instanceof LetterUnreadable ? cause.cause : cause;
    return defer(`Unable to ${what}: ${errorWords(why)}. (#4.3.0)`);
  }
}

function endOf(files: FileCalls, fd: number): { size: number; isRegular: boolean } {
  const stat = files.fstatSync(fd);
  return { size: stat.size, isRegular: stat.isFile() };
}

async function write(
  { files, clock, as }: MboxParts,
  { path, head, letter }: MboxTask,
  fd: number,
  hasDotLock: boolean,
): Promise<void> {
  let touched = clock.steady();
  as(() => writeAll(files, fd, Buffer.from(head)));
  for await (const chunk of quoteFrom(letter.chunks())) {
    as(() => writeAll(files, fd, chunk));
    if (!hasDotLock || clock.steady() - touched < staleMs / 5) continue;
    touched = clock.steady();
    const now = clock.now() / 1000;
    as(() => files.utimesSync(`${path}.lock`, now, now));
  }
  as(() => writeAll(files, fd, Buffer.from('\n')));
}

function cutBack(files: FileCalls, fd: number, size: number): void {
  try {
    files.ftruncateSync(fd, size);
  } catch {
    // Then a piece of a letter stays; the deferral says why.
  }
}
