/**
 * One letter at the end of one mbox (qmail-local mailfile, mbox(5), form mboxrd). Locked by a dot-lock, forced
 * to disk, cut back to its old length when writing fails.
 *
 * What a stop leaves behind: a letter that is not whole, and the retry adds it again. A Maildir has
 * neither fault.
 */
import { constants } from 'node:fs';
import type { Clock, Instant } from '../../platform/clock.ts';
import { errorWords } from '../../platform/errno.ts';
import { staleMs, tryLock, unlock } from './dot-lock.ts';
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
};

const lockLimitMs = 30_000;
const lockAgainMs = 250;

/** `undefined`: the letter is in the file and on disk. */
export function deliverToMbox(parts: MboxParts, task: MboxTask): Promise<Halt | undefined> {
  const deadline = parts.clock.now() + lockLimitMs;
  return parts.inTurn(task.path, async () => {
    const opened = parts.as(() => open(parts.files, task));
    if ('kind' in opened) return opened;
    try {
      const lock = opened.regular ? await waitForLock(parts, task.path, deadline) : 'impossible';
      if (lock === 'busy') return defer('File has been locked for 30 seconds straight. (#4.3.0)');
      return await append(parts, task, opened.fd, lock === 'locked');
    } finally {
      parts.files.closeSync(opened.fd);
    }
  });
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

async function waitForLock({ files, clock, as }: MboxParts, path: string, deadline: Instant) {
  for (;;) {
    const answer = as(() => tryLock(files, path, clock.now()));
    if (answer !== 'busy' || clock.now() >= deadline) return answer;
    await new Promise<void>((resolve) => clock.at(clock.now() + lockAgainMs, resolve));
  }
}

async function append(
  parts: MboxParts,
  task: MboxTask,
  fd: number,
  locked: boolean,
): Promise<Halt | undefined> {
  const { files, as } = parts;
  // The end as it is now: while we waited for the lock others may have written.
  const { size, isRegular } = endOf(files, fd);
  try {
    await write(parts, task, fd, locked);
    if (isRegular) await sync(files, fd);
    return undefined;
  } catch (cause) {
    // Without the lock, what we would cut off might be somebody else's.
    if (locked) cutBack(files, fd, size);
    const what = cause instanceof LetterUnreadable ? 'read message' : `write ${task.name}`;
    const why = cause instanceof LetterUnreadable ? cause.cause : cause;
    return defer(`Unable to ${what}: ${errorWords(why)}. (#4.3.0)`);
  } finally {
    if (locked) as(() => unlock(files, task.path));
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
  locked: boolean,
): Promise<void> {
  let touched = clock.now();
  as(() => writeAll(files, fd, Buffer.from(head)));
  for await (const chunk of quoteFrom(letter.chunks())) {
    as(() => writeAll(files, fd, chunk));
    if (!locked || clock.now() - touched < staleMs / 5) continue;
    touched = clock.now();
    as(() => files.utimesSync(`${path}.lock`, touched / 1000, touched / 1000));
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
