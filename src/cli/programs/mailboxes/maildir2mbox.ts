/**
 * maildir2mbox: moves all letters of a Maildir into an mbox, for a mail reader that knows no other.
 * The new mbox is written beside the old one, forced to disk and put in its place; only then do the
 * letters go. A stop before that leaves everything as it was, one after it may leave letters in both.
 */
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  opendirSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { fromLine } from '../../../delivery/local/env.ts';
import { quoteFrom } from '../../../delivery/local/quote-from.ts';
import type { Instant } from '../../../platform/clock.ts';
import { errorWords } from '../../../platform/errno.ts';
import { syncPath } from '../../../platform/sync-path.ts';
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
    const letters = scan(maildir, parts.clock.now());
    if (letters.length === 0) return 0;
    await withMboxLock(mbox, parts, () => rewrite(mbox, temporary, letters));
    for (const { path, shown } of letters) {
      try {
        unlinkSync(path);
      } catch (cause) {
        const why = `will be delivered twice; unable to unlink: ${errorWords(cause)}`;
        say(`maildir2mbox: warning: ${shown} ${why}\n`);
      }
    }
    return 0;
  };

/** With the name that complaints have for it: `$MAILDIR/new/…`. */
type Letter = MaildirLetter & { readonly shown: string };

function scan(maildir: string, now: Instant): readonly Letter[] {
  during(`chdir to ${maildir}`, () => opendirSync(maildir).closeSync());
  const folders = ['new', 'cur'] as const;
  for (const folder of folders) {
    during(`scan $MAILDIR/${folder}`, () => opendirSync(`${maildir}/${folder}`).closeSync());
  }
  return during('scan $MAILDIR', () =>
    lettersIn(maildir, folders, now).map((letter) => ({
      ...letter,
      shown: `$MAILDIR${letter.path.slice(maildir.length)}`,
    })),
  );
}

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

async function rewrite(mbox: string, temporary: string, letters: readonly Letter[]): Promise<void> {
  const out = during(`create ${temporary}`, () => openSync(temporary, 'w', 0o600));
  try {
    const mode = during(`read ${mbox}`, () => statSync(mbox).mode & 0o777);
    during(`write to ${temporary}`, () => fchmodSync(out, mode));
    await copy({ path: mbox, shown: mbox }, out, temporary, (chunks) => chunks);
    for (const { path, shown, at } of letters) {
      const from = during(`read ${shown}`, () => fromLine(senderOf(path) ?? 'XXX', at));
      write(out, temporary, from);
      await copy({ path, shown }, out, temporary, quoteFrom);
      write(out, temporary, '\n');
    }
    during(`write to ${temporary}`, () => fsyncSync(out));
  } finally {
    closeSync(out);
  }
  during(`move ${temporary} to ${mbox}`, () => renameSync(temporary, mbox));
  during(`write to ${dirname(mbox)}`, () => syncPath(dirname(mbox)));
}

const write = (out: number, named: string, text: string): void =>
  during(`write to ${named}`, () => writeDescriptor(out, Buffer.from(text, 'latin1')));

async function copy(
  { path, shown }: { readonly path: string; readonly shown: string },
  out: number,
  named: string,
  through: (chunks: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>,
): Promise<void> {
  const source = during(`read ${shown}`, () => openSync(path, 'r'));
  try {
    for await (const chunk of through(readOrDie(source, shown))) {
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
