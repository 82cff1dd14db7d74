/** Large bodies, a file each: written aside, synced, renamed, the directory synced. */
import { createHash, randomBytes } from 'node:crypto';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { BodyRef } from '../../mail/envelope.ts';
import { Trouble } from '../../mail/trouble.ts';
import { errnoOf } from '../../platform/errno.ts';
import { bodyTrouble } from '../checks.ts';
import type { BodyWriter, StagedBody } from '../ports.ts';

export type Folders = { readonly incoming: string; readonly bodies: string };

export async function openBodyFile(id: string, folders: Folders): Promise<BodyWriter> {
  // A name of its own: what a stop left behind must not be in the way of the same letter made again.
  const path = join(folders.incoming, `${id}.${randomBytes(6).toString('hex')}`);
  const file = await open(path, 'wx', 0o600).catch(spoolTrouble);
  const digest = createHash('sha256');
  let bytes = 0;
  let isStaged = false;
  const abandon = async () => {
    await file.close().catch(() => undefined);
    // A disk that takes nothing may not even forget: then the sweep takes the file.
    if (!isStaged) await rm(path, { force: true }).catch(() => undefined);
  };
  return {
    id,
    abandon,
    async write(chunk) {
      const start = bytes;
      digest.update(chunk);
      bytes += chunk.byteLength;
      try {
        await writeAt(file, chunk, start);
      } catch (cause) {
        await abandon();
        spoolTrouble(cause);
      }
    },
    async stage(): Promise<StagedBody> {
      try {
        // A stop after the sync leaves a file in incoming/, after the rename one in bodies/;
        // no event names either, and the sweep takes them.
        await file.datasync();
        await file.close();
        await rename(path, join(folders.bodies, id));
        await syncDirectory(folders.bodies);
      } catch (cause) {
        await abandon();
        spoolTrouble(cause);
      }
      isStaged = true;
      return { ref: { id, bytes, sha256: digest.digest('hex') } };
    },
  };
}

/** The bytes asked for, fewer where the file ends early. */
export async function readBodyFile(
  folder: string,
  ref: BodyRef,
  offset: number,
  length: number,
): Promise<Uint8Array> {
  const file = await open(join(folder, ref.id), 'r').catch((cause: unknown) => {
    if ((cause as { code?: string }).code !== 'ENOENT') return readTrouble(ref, cause);
    throw bodyTrouble('body-missing', `body ${ref.id} is not in the spool`, cause);
  });
  try {
    const wanted = Buffer.allocUnsafe(Math.max(0, Math.min(length, ref.bytes - offset)));
    let got = 0;
    while (got < wanted.byteLength) {
      const { bytesRead } = await file.read(wanted, got, wanted.byteLength - got, offset + got);
      if (bytesRead === 0) break;
      got += bytesRead;
    }
    return wanted.subarray(0, got);
  } catch (cause) {
    return readTrouble(ref, cause);
  } finally {
    await file.close();
  }
}

/** By position, so that a short write is continued and the order of chunks does not matter. */
async function writeAt(file: FileHandle, chunk: Uint8Array, start: number): Promise<void> {
  for (let at = 0; at < chunk.byteLength;) {
    at += (await file.write(chunk, at, chunk.byteLength - at, start + at)).bytesWritten;
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** A sector that cannot be read is damage; too many open files and the like pass. */
function readTrouble(ref: BodyRef, cause: unknown): never {
  const detail = `body ${ref.id} cannot be read: ${String(cause)}`;
  if ((cause as { code?: string }).code === 'EIO') throw bodyTrouble('body-damaged', detail, cause);
  throw new Trouble('log-unavailable', {
    tryAgain: true,
    peer: 'trouble reading message (#4.3.0)',
    detail,
    cause,
  });
}

function spoolTrouble(cause: unknown): never {
  const code = errnoOf(cause);
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  throw new Trouble(full ? 'spool-full' : 'log-unavailable', {
    tryAgain: true,
    peer: full ? 'disk full (#4.3.1)' : 'trouble writing message (#4.3.0)',
    detail: `the spool could not be written: ${String(cause)}`,
    cause,
  });
}
