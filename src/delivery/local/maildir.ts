/**
 * One letter into one Maildir: written to `tmp/`, forced to disk, linked into `new/` (qmail-local maildir_child).
 * Readers see all of it or nothing.
 *
 * Surer than qmail in two ways. The directory `new/` is forced to disk, too, so that a power cut cannot
 * take back a letter that was reported delivered. And the name in `new/` is the same at each attempt:
 * after a crash, or when a later line of the file defers, the letter is not delivered a second time
 * unless its reader has deleted the first one.
 *
 * What a stop leaves behind: before the link a file in `tmp/`, which readers remove after 36 hours;
 * after it the letter is there, and the next attempt finds it.
 */
import { constants } from 'node:fs';
import type { Clock } from '../../platform/clock.ts';
import { errnoOf, isTemporary } from '../../platform/errno.ts';
import type { SyncDirectory } from './directory-sync.ts';
import { sync, writeAll, type As, type FileCalls } from './file-calls.ts';
import type { Quota } from '../../mail/quota.ts';
import { defer, fail, type Halt } from './halt.ts';
import { LetterUnreadable, type Letter } from './letter.ts';
import { lastingName, tmpName, type DeliveryKey } from './maildir-name.ts';
import { noteLetter, roomFor } from './maildir-size.ts';

export type MaildirParts = {
  readonly files: FileCalls;
  readonly syncDirectory: SyncDirectory;
  readonly clock: Clock;
  readonly hostName: string;
  readonly as: As;
};

export type MaildirTask = {
  /** Absolute, ends in `/`. */
  readonly path: string;
  /** Whether a missing Maildir may be made: only in a managed home. */
  readonly mayMake: boolean;
  readonly key: DeliveryKey;
  /** An earlier attempt may have delivered it. */
  readonly retry: boolean;
  /** Return-Path and Delivered-To. */
  readonly head: string;
  readonly letter: Letter;
  /** The quota of a Maildir that has none of its own. */
  readonly quota?: Quota;
  /** What becomes of a letter for a full one; default: it fails. */
  readonly overQuota?: 'fail' | 'defer';
  /** Hears under which name the letter lies there. */
  readonly onPlaced?: (place: string) => void;
};

/** `undefined`: the letter is in `new/` and on disk. */
export async function deliverToMaildir(
  parts: MaildirParts,
  task: MaildirTask,
): Promise<Halt | undefined> {
  const { files, as } = parts;
  const lasting = lastingName(task.key, parts.hostName);
  try {
    const there = task.retry && lasting ? as(() => find(files, task.path, lasting)) : undefined;
    const placed = there ?? (await deliver(parts, task, lasting));
    if (typeof placed === 'object') return placed;
    // Also for one that is there: the stop may have come between its link and this.
    await parts.syncDirectory(`${task.path}new`, as);
    task.onPlaced?.(placed);
    return undefined;
  } catch (cause) {
    return as(() => haltFor(files, task.path, cause));
  }
}

/** RFC 3463 §3.3, X.2.2. */
const overQuota = ({ overQuota: answer = 'fail' }: MaildirTask): Halt =>
  answer === 'fail'
    ? fail('The mailbox is full: it is over its quota. (#5.2.2)')
    : defer('The mailbox is full: it is over its quota. (#4.2.2)');

/** In `new/`, or moved to `cur/` by a reader, who adds flags. */
function find(files: FileCalls, path: string, name: string): string | undefined {
  const exact = files.statSync(`${path}new/${name}`, { throwIfNoEntry: false });
  if (exact !== undefined) return `new/${name}`;
  for (const folder of ['new', 'cur']) {
    const found = names(files, `${path}${folder}`).find((entry) => entry.startsWith(name));
    if (found !== undefined) return `${folder}/${found}`;
  }
  return undefined;
}

function names(files: FileCalls, folder: string): readonly string[] {
  try {
    return files.readdirSync(folder);
  } catch (cause) {
    if (isTemporary(cause)) throw cause;
    return [];
  }
}

/** Where it lies then. */
async function deliver(
  parts: MaildirParts,
  task: MaildirTask,
  lasting?: string,
): Promise<string | Halt> {
  const { files, as } = parts;
  const { path, letter, quota = {} } = task;
  const bytes = Buffer.byteLength(task.head) + (letter.whole?.length ?? letter.wireBytes);
  const room = await roomFor(parts, path, quota, bytes);
  if (room === 'over') return overQuota(task);
  const { fd, name } = await openTmp(parts, task);
  const tmp = `${path}tmp/${name}`;
  try {
    let written: number;
    try {
      written = await write(parts, fd, task);
      await sync(files, fd);
    } finally {
      files.closeSync(fd);
    }
    // Where bytes count, the name tells them (Maildir++), so that nobody need ask the file.
    const size = room === 'unlimited' ? '' : `,S=${written}`;
    const place = `new/${lasting ?? name}${size}`;
    const isNew = as(() => link(files, tmp, `${path}${place}`, lasting !== undefined));
    if (isNew && room === 'room') noteLetter(parts, path, written);
    return place;
  } finally {
    as(() => remove(files, tmp));
  }
}

/** Even an open file is written to with its owner's rights, or quotas would not count. Bytes written. */
async function write({ files, as }: MaildirParts, fd: number, task: MaildirTask): Promise<number> {
  const { head, letter } = task;
  const start = Buffer.from(head);
  const { whole } = letter;
  const first = whole === undefined ? start : Buffer.concat([start, whole]);
  as(() => writeAll(files, fd, first));
  let bytes = first.length;
  if (whole !== undefined) return bytes;
  for await (const chunk of letter.chunks()) {
    as(() => writeAll(files, fd, chunk));
    bytes += chunk.length;
  }
  return bytes;
}

/** How many deliveries this process has begun. */
let count = 0;
/** qmail tries as often, and waits in between; our next name is another anyway. */
const maxNames = 3;

type Tmp = { readonly fd: number; readonly name: string };

async function openTmp(parts: MaildirParts, { path, mayMake }: MaildirTask): Promise<Tmp> {
  try {
    return parts.as(() => createTmp(parts, path));
  } catch (cause) {
    if (!mayMake || errnoOf(cause) !== 'ENOENT') throw cause;
    await makeMaildir(parts, path);
    return parts.as(() => createTmp(parts, path));
  }
}

function createTmp({ files, clock, hostName }: MaildirParts, path: string): Tmp {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  for (let tries = 1; ; tries += 1) {
    const name = tmpName(clock.now(), process.pid, (count += 1), hostName);
    try {
      return { fd: files.openSync(`${path}tmp/${name}`, flags, 0o600), name };
    } catch (cause) {
      if (errnoOf(cause) !== 'EEXIST' || tries >= maxNames) throw cause;
    }
  }
}

/** `tmp` last: whoever finds it finds the others. On disk before the first letter is. */
async function makeMaildir(
  { files, as, syncDirectory }: MaildirParts,
  path: string,
): Promise<void> {
  as(() => {
    for (const folder of ['cur', 'new', 'tmp']) {
      files.mkdirSync(`${path}${folder}`, { recursive: true, mode: 0o700 });
    }
  });
  await syncDirectory(path, as);
  await syncDirectory(`${path}..`, as);
}

/** Whether it is new. A lasting name that is taken was taken by an earlier attempt at this very delivery. */
function link(files: FileCalls, from: string, to: string, lasting: boolean): boolean {
  try {
    files.linkSync(from, to);
    return true;
  } catch (cause) {
    if (!lasting || errnoOf(cause) !== 'EEXIST') throw cause;
    return false;
  }
}

function remove(files: FileCalls, path: string): void {
  try {
    files.unlinkSync(path);
  } catch {
    // Whether delivered or not, a file left in tmp/ does no harm; readers remove it.
  }
}

function haltFor(files: FileCalls, path: string, cause: unknown): Halt {
  if (cause instanceof LetterUnreadable) return defer('Unable to read message. (#4.3.0)');
  if (isUnreachable(files, path)) return defer('Unable to chdir to maildir. (#4.2.1)');
  return defer('Temporary error on maildir delivery. (#4.3.0)');
}

/** Asked only after something went wrong: a delivery that works has no need to look first. */
function isUnreachable(files: FileCalls, path: string): boolean {
  try {
    files.statSync(`${path}.`);
    return false;
  } catch (cause) {
    return !isTemporary(cause);
  }
}
