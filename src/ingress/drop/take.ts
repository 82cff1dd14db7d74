/**
 * One file of the drop box, taken for a letter or told from one. Whatever its owner does meanwhile, the
 * worst that comes of it is no letter, or another of the owner's own.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { MessageId } from '../../mail/envelope.ts';
import { deriveMessageId } from '../../mail/message-id.ts';
import { isTrouble } from '../../mail/trouble.ts';
import type { Instant } from '../../platform/clock.ts';
import { errnoOf } from '../../platform/errno.ts';
import { incomingLetter, type ProgramLetter } from '../inject/incoming.ts';
import type { IncomingLetter } from '../ports.ts';
import {
  dropDigest,
  dropHead,
  dropName,
  footBytes,
  modes,
  readEnvelope,
  readFoot,
  type DropFoot,
} from './drop-file.ts';

export type TakeParts = {
  /** An incoming letter of that name. One that is known already is accepted without effect. */
  readonly begin: (id: MessageId) => IncomingLetter;
  readonly maxBytes: number;
};

export type Taken =
  | { readonly kind: 'taken'; readonly id: MessageId }
  /** Its program is at work on it, or was stopped. */
  | { readonly kind: 'unfinished'; readonly changedAt: Instant; readonly uid: number }
  | OddDrop;

/** No letter, and never will be. */
export type OddDrop = {
  readonly kind: 'odd';
  readonly why: string;
  readonly uid: number;
};

/** Names are byte strings: their owners choose them. */
export const dropPath = (directory: string, name: string): Buffer =>
  Buffer.from(join(directory, name), 'latin1');

/** Rejects with the intake's trouble when letters cannot be taken now, or with the system's error. */
export async function takeDrop(directory: string, name: string, parts: TakeParts): Promise<Taken> {
  const path = dropPath(directory, name);
  const seen = await lstat(path);
  const odd = (why: string) => oddDrop(why, seen.uid);
  if (!seen.isFile()) return odd('no file');
  if (!dropName.test(name)) return odd('a name that none of our programs gives');
  if ((seen.mode & 0o777) === modes.writing) {
    return { kind: 'unfinished', changedAt: seen.ctimeMs, uid: seen.uid };
  }
  const file = await openDrop(path);
  if (file === undefined) return odd('it cannot be read');
  try {
    return await takeOpened(file, path, name, parts);
  } catch (cause) {
    if (cause instanceof Shrunk) return odd('it shrank while it was read');
    // What is refused for good stays so; the rest is our trouble, and over some day.
    if (isTrouble(cause) && !cause.tryAgain) return odd(cause.message);
    throw cause;
  } finally {
    await file.close();
  }
}

const oddDrop = (why: string, uid: number): OddDrop => ({ kind: 'odd', why, uid });

/** What lies there may be something else by now: a link is not followed, a pipe not waited for. */
async function openDrop(path: Buffer): Promise<FileHandle | undefined> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  try {
    return await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (cause) {
    if (['EACCES', 'ELOOP', 'ENXIO'].includes(errnoOf(cause) ?? '')) return undefined;
    throw cause;
  }
}

async function takeOpened(
  file: FileHandle,
  path: Buffer,
  name: string,
  { begin, maxBytes }: TakeParts,
): Promise<Taken> {
  const found = await file.stat();
  const { uid, nlink, size, mode, ino, dev } = found;
  if (!found.isFile()) return oddDrop('no file', uid);
  if (nlink !== 1) return oddDrop('it has other names (hard links)', uid);
  if ((mode & 0o7777) !== modes.complete) return oddDrop('an odd mode', uid);
  if (size > maxBytes) return oddDrop(`${size} bytes are more than may come this way`, uid);
  const foot =
    size < footBytes ? undefined : readFoot(await piece(file, size - footBytes, footBytes), size);
  if (foot === undefined) return oddDrop('it is not complete', uid);
  // The owner's number is part of the name: nobody can make another's letter look accepted already.
  const words = `drop ${uid} ${name} ${foot.sha256.toString('hex')}`;
  // The kernel's time of the last change: nobody sets that at will, and a stop does not change it.
  const droppedAt = Math.floor(found.ctimeMs);
  const id = deriveMessageId(droppedAt, createHash('sha256').update(words).digest());
  const why = await passOn(file, foot, { uid, droppedAt }, () => begin(id));
  if (why !== undefined) return oddDrop(why, uid);
  // After the promise, never before: a stop between the two finds the letter accepted under its name.
  const now = await lstat(path);
  if (now.ino === ino && now.dev === dev) await unlink(path);
  return { kind: 'taken', id };
}

/** Resolves with what is wrong with the file, if it is, and the letter is not accepted then. */
async function passOn(
  file: FileHandle,
  foot: DropFoot,
  { uid, droppedAt }: { readonly uid: number; readonly droppedAt: Instant },
  begin: () => IncomingLetter,
): Promise<string | undefined> {
  const envelopeAt = dropHead.length + foot.messageBytes;
  const json = await piece(file, envelopeAt, foot.envelopeBytes);
  const envelope = readEnvelope(json);
  if (envelope === undefined) return 'no envelope';
  const { pid, user, sender, recipients } = envelope;
  const letter = incomingLetter(begin(), {
    clock: { now: () => droppedAt },
    caller: () => ({ uid, pid, user, droppedAt }),
  });
  try {
    letter.to(recipients);
    const sha256 = await copy(file, foot, json, letter);
    if (!sha256.equals(foot.sha256)) return 'its digest is not that of its bytes';
    await letter.accept(sender);
    return undefined;
  } finally {
    letter.abandon();
  }
}

const chunkBytes = 256 * 1024;

/** The message into the letter; the digest of all that was read. */
async function copy(
  file: FileHandle,
  foot: DropFoot,
  json: Uint8Array,
  letter: ProgramLetter,
): Promise<Buffer> {
  const digest = dropDigest(await piece(file, 0, dropHead.length), foot);
  const end = dropHead.length + foot.messageBytes;
  for (let at = dropHead.length; at < end;) {
    const chunk = await piece(file, at, Math.min(chunkBytes, end - at));
    digest.message(chunk);
    await letter.write(chunk);
    at += chunk.length;
  }
  return digest.end(json);
}

class Shrunk extends Error {}

/** Exactly so many bytes from there. */
async function piece(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  for (let have = 0; have < length;) {
    const { bytesRead } = await file.read(bytes, have, length - have, at + have);
    if (bytesRead === 0) throw new Shrunk();
    have += bytesRead;
  }
  return bytes;
}
