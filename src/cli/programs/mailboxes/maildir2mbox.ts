/**
 * maildir2mbox: moves all letters of a Maildir into an mbox, for a mail reader that knows no other.
 * The new mbox is written beside the old one, forced to disk and put in its place; only then do the
 * letters go. A stop before that leaves everything as it was, one after it may leave letters in both.
 */
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { fromLine } from '../../../delivery/local/env.ts';
import { quoteFrom } from '../../../delivery/local/quote-from.ts';
import { errnoOf, errorWords } from '../../../platform/errno.ts';
import { readDescriptor, writeDescriptor } from '../lib/descriptors.ts';
import { tryLater, type Environment, type Program } from '../lib/program.ts';
import { lettersIn, type MaildirLetter } from './maildir-letters.ts';
import { withMboxLock, type LockParts } from './mbox-lock.ts';

/** Reads `MAILDIR`, `MAIL` and `MAILTMP`; the last two must lie on one file system. */
export const maildir2mbox =
  (parts: LockParts): Program =>
  async ({ env, say }) => {
    const maildir = needed(env, 'MAILDIR');
    const mbox = needed(env, 'MAIL');
    const temporary = needed(env, 'MAILTMP');
    const letters = during(`scan ${maildir}`, () =>
      lettersIn(maildir, ['new', 'cur'], parts.clock.now()),
    );
    if (letters.length === 0) return 0;
    await withMboxLock(mbox, parts, () => rewrite(mbox, temporary, letters));
    for (const { path } of letters) {
      try {
        unlinkSync(path);
      } catch (cause) {
        const why = `unable to delete ${path}: ${errorWords(cause)}`;
        say(`maildir2mbox: warning: a letter will be moved twice; ${why}\n`);
      }
    }
    return 0;
  };

function needed(env: Environment, name: string): string {
  const value = env[name];
  if (value === undefined || value === '') throw tryLater(`${name} not set`);
  return value;
}

function during<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw tryLater(`unable to ${what}: ${errorWords(cause)}`);
  }
}

async function rewrite(
  mbox: string,
  temporary: string,
  letters: readonly MaildirLetter[],
): Promise<void> {
  const out = during(`create ${temporary}`, () => openSync(temporary, 'w', 0o600));
  try {
    const mode = modeOf(mbox);
    if (mode !== undefined) {
      during(`write to ${temporary}`, () => fchmodSync(out, mode));
      await copy(mbox, out, temporary, (chunks) => chunks);
    }
    for (const { path, at } of letters) {
      const from = during(`read ${path}`, () => fromLine(senderOf(path) ?? 'XXX', at));
      write(out, temporary, from);
      await copy(path, out, temporary, quoteFrom);
      write(out, temporary, '\n');
    }
    during(`write to ${temporary}`, () => fsyncSync(out));
  } finally {
    closeSync(out);
  }
  during(`move ${temporary} to ${mbox}`, () => renameSync(temporary, mbox));
  during(`write to ${dirname(mbox)}`, () => syncDirectory(dirname(mbox)));
}

/** `undefined`: there is no mbox yet. */
function modeOf(mbox: string): number | undefined {
  try {
    return statSync(mbox).mode & 0o777;
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined;
    throw tryLater(`unable to read ${mbox}: ${errorWords(cause)}`);
  }
}

const write = (out: number, named: string, text: string): void =>
  during(`write to ${named}`, () => writeDescriptor(out, Buffer.from(text, 'latin1')));

async function copy(
  from: string,
  out: number,
  named: string,
  through: (chunks: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>,
): Promise<void> {
  const source = during(`read ${from}`, () => openSync(from, 'r'));
  try {
    for await (const chunk of through(readOrDie(source, from))) {
      during(`write to ${named}`, () => writeDescriptor(out, chunk));
    }
  } finally {
    closeSync(source);
  }
}

async function* readOrDie(fd: number, named: string): AsyncGenerator<Uint8Array> {
  try {
    yield* readDescriptor(fd);
  } catch (cause) {
    throw tryLater(`unable to read ${named}: ${errorWords(cause)}`);
  }
}

/** Longer addresses than this no mail system takes. */
const firstLineBytes = 4_096;

/** Whom the first line names; the file is a delivery of ours if it names anybody. A byte string. */
function senderOf(path: string): string | undefined {
  const fd = openSync(path, 'r');
  try {
    const start = Buffer.alloc(firstLineBytes);
    const bytes = readSync(fd, start, 0, firstLineBytes, 0);
    return /^Return-Path: <(.*)>\n/.exec(start.toString('latin1', 0, bytes))?.[1];
  } finally {
    closeSync(fd);
  }
}

function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
