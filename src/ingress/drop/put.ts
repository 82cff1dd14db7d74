/**
 * A letter into the drop box, by whoever wants it sent: a new file of the caller's own, which the engine
 * takes when it is back. Resolves only when file and name are forced to disk.
 *
 * A stop on the way leaves a file that only its owner may read; the engine sets it aside after a day
 * and a half, for the caller was never told yes.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, fchmodSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Trouble } from '../../mail/trouble.ts';
import { syncNameOf } from '../../platform/sync-path.ts';
import { dropHead, dropWriter, maxEnvelopeBytes, modes, type DropEnvelope } from './drop-file.ts';

export interface DropLetter {
  /** The file's name. */
  readonly name: string;
  write(bytes: Uint8Array): void;
  /** The promise: returns when everything is on disk. */
  finish(envelope: DropEnvelope): void;
  /** Removes the file, if it is not finished. */
  abandon(): void;
}

/** `leastFreeBytes`: what must stay free on that disk, for the mail that is there already. Throws the system's errors, and `spool-full`. */
export function dropLetter(directory: string, leastFreeBytes: number): DropLetter {
  const name = randomBytes(16).toString('hex');
  const path = join(directory, name);
  refuseFull(directory, leastFreeBytes);
  const fd = openSync(path, 'wx', modes.writing);
  const writer = dropWriter();
  let open = true;
  let sinceLook = 0;
  const put = (bytes: Uint8Array): void => {
    if ((sinceLook += bytes.byteLength) > lookBytes) {
      refuseFull(directory, leastFreeBytes);
      sinceLook = 0;
    }
    for (let at = 0; at < bytes.byteLength;) at += writeSync(fd, bytes, at);
  };
  const abandon = (): void => {
    if (!open) return;
    open = false;
    closeSync(fd);
    // The engine may have taken it when only the last of its syncs failed.
    rmSync(path, { force: true });
  };
  put(dropHead);
  return {
    name,
    write: (bytes) => put(writer.message(bytes)),
    finish(envelope) {
      const last = writer.end(envelope);
      if (last.byteLength > maxEnvelopeBytes) throw tooMany();
      put(last);
      fsyncSync(fd);
      // From here on the engine may take it, and find it whole.
      fchmodSync(fd, modes.complete);
      fsyncSync(fd);
      syncNameOf(path);
      open = false;
      closeSync(fd);
    },
    abandon,
  };
}

/** How much is written before room is asked for again. */
const lookBytes = 8 * 1024 * 1024;

function refuseFull(directory: string, leastFreeBytes: number): void {
  const { bavail, bsize } = statfsSync(directory);
  if (bavail * bsize >= leastFreeBytes) return;
  throw new Trouble('spool-full', { tryAgain: true, peer: 'disk full (#4.3.1)' });
}

const tooMany = () =>
  new Trouble('too-large', { tryAgain: false, peer: 'too many recipients (#5.5.3)' });
