/**
 * `maildirsize`, the file by which a Maildir++ knows its quota and how full it is:
 *
 *     1000000S,500C      the quota
 *     12345 7            bytes and letters, then a line for every change since they were counted
 *     2000 1
 *
 * Written to by all that deliver to or delete from the Maildir, and only so that counting is seldom needed.
 * It may drift (a stop between a letter and its line), so a mailbox that looks full is counted again.
 */
import { constants } from 'node:fs';
import {
  formatQuota,
  isOver,
  isUnlimited,
  parseQuota,
  type Quota,
  type Usage,
} from '../../mail/quota.ts';
import type { Clock } from '../../platform/clock.ts';
import { countMaildir } from './maildir-count.ts';
import { writeAll, type As, type FileCalls } from './file-calls.ts';

export type SizeParts = { readonly files: FileCalls; readonly clock: Clock; readonly as: As };

/** From so many bytes on it is counted and written anew. */
const longestFile = 5_120;
/** A count so young is believed even when it says "full". */
const freshMs = 15 * 60_000;

export type Room = 'unlimited' | 'room' | 'over';

/**
 * Whether there is room for a letter of so many bytes. `path` ends in `/`; `ifNone` is the quota of a
 * Maildir without one of its own. What cannot be told keeps no letter out.
 */
export async function roomFor(
  parts: SizeParts,
  path: string,
  ifNone: Quota,
  letterBytes: number,
): Promise<Room> {
  try {
    const file = parts.as(() => read(parts.files, path));
    const quota = (file && parseQuota(file.text.split('\n', 1)[0]!)) ?? ifNone;
    if (isUnlimited(quota)) return 'unlimited';
    const usage =
      (file && believed(file, quota, letterBytes, parts)) ?? (await recount(parts, path, quota));
    return isOver(quota, usage, letterBytes) ? 'over' : 'room';
  } catch {
    return 'unlimited';
  }
}

/** One letter more. */
export function noteLetter({ files, as }: SizeParts, path: string, letterBytes: number): void {
  try {
    as(() => {
      const fd = files.openSync(`${path}maildirsize`, constants.O_WRONLY | constants.O_APPEND);
      try {
        writeAll(files, fd, Buffer.from(`${letterBytes} 1\n`));
      } finally {
        files.closeSync(fd);
      }
    });
  } catch {
    // The next count will know.
  }
}

type SizeFile = { readonly text: string; readonly bytes: number; readonly mtimeMs: number };

function read(files: FileCalls, path: string): SizeFile | undefined {
  const file = `${path}maildirsize`;
  if (files.statSync(file, { throwIfNoEntry: false }) === undefined) return undefined;
  const fd = files.openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { size, mtimeMs } = files.fstatSync(fd);
    const buffer = Buffer.alloc(Math.min(size, longestFile));
    const length = files.readSync(fd, buffer, 0, buffer.length, 0);
    return { text: buffer.toString('latin1', 0, length), bytes: size, mtimeMs };
  } finally {
    files.closeSync(fd);
  }
}

/** What the file says it holds; `undefined` when that must be counted. */
function believed(
  { text, bytes, mtimeMs }: SizeFile,
  quota: Quota,
  letterBytes: number,
  { clock }: SizeParts,
): Usage | undefined {
  const lines = text.split('\n').slice(1, -1);
  const pairs = lines.map((line) => /^ *(-?\d{1,15}) +(-?\d{1,9}) *$/.exec(line));
  if (bytes >= longestFile || pairs.length === 0 || pairs.includes(null)) return undefined;
  const sum = (column: 1 | 2) => pairs.reduce((total, pair) => total + Number(pair![column]), 0);
  const usage = { bytes: sum(1), letters: sum(2) };
  const isFresh = pairs.length === 1 && clock.now() - mtimeMs < freshMs;
  return isFresh || !isOver(quota, usage, letterBytes) ? usage : undefined;
}

let count = 0;

async function recount(parts: SizeParts, path: string, quota: Quota): Promise<Usage> {
  const { files, as, clock } = parts;
  const { usage, isStable } = await countMaildir(parts, path);
  // Letters came or went meanwhile: the count will do for this one letter, but not for keeps.
  if (!isStable) return usage;
  const tmp = `${path}tmp/${clock.now()}.P${process.pid}Q${(count += 1)}.maildirsize`;
  try {
    as(() => {
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
      const fd = files.openSync(tmp, flags, 0o600);
      try {
        const text = `${formatQuota(quota)}\n${usage.bytes} ${usage.letters}\n`;
        writeAll(files, fd, Buffer.from(text));
      } finally {
        files.closeSync(fd);
      }
      files.renameSync(tmp, `${path}maildirsize`);
    });
  } catch {
    // Counted again next time.
  }
  return usage;
}
