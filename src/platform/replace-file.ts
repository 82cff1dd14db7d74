/**
 * Puts a new file in the place of an old one, so that a reader sees all of the one or all of the other:
 * written under another name, forced to disk, moved over. A stop before the move leaves the old file, and
 * the new one's beginning under its other name, which the next run overwrites.
 */
import {
  closeSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { syncPath } from './sync-path.ts';

/** A piece of the file; `at` is its position, for what is known only at the end. Else it follows the last one. */
export type FilePiece = Uint8Array | { readonly at: number; readonly bytes: Uint8Array };

export type Replacement = {
  readonly target: string | Buffer;
  /** In the directory of `target`. */
  readonly temporary: string | Buffer;
  /** Read as it is written; what it throws leaves the old file in place. */
  readonly pieces: Iterable<FilePiece>;
  /** Where the first piece goes; 0 unless told. */
  readonly from?: number;
  /** Whatever the umask; absent: 0644 less the umask. */
  readonly mode?: number;
};

/** Which of the steps failed; `cause` is the system's error. */
export class ReplaceTrouble extends Error {
  readonly step: 'create' | 'write' | 'move';

  constructor(step: 'create' | 'write' | 'move', cause: unknown) {
    super(`unable to ${step}`, { cause });
    this.name = 'ReplaceTrouble';
    this.step = step;
  }
}

/** When it returns, the new file is on disk under its name. */
export function replaceFile({ target, temporary, pieces, from = 0, mode }: Replacement): void {
  const fd = step('create', () => openSync(temporary, 'w', mode ?? 0o644));
  // Whoever names a device or a pipe shall not lose it.
  const isOurs = fstatSync(fd).isFile();
  try {
    try {
      if (mode !== undefined && isOurs) step('create', () => fchmodSync(fd, mode));
      writePieces(fd, pieces, from);
      step('write', () => fsyncSync(fd));
    } finally {
      closeSync(fd);
    }
    step('move', () => renameSync(temporary, target));
  } catch (cause) {
    if (isOurs) forget(temporary);
    throw cause;
  }
  syncDirectoryOf(target);
}

/** Small pieces are gathered, so that a table of a million records is not as many calls. */
const gatherBytes = 64 * 1024;

function writePieces(fd: number, pieces: Iterable<FilePiece>, from: number): void {
  let end = from;
  let gathered: Uint8Array[] = [];
  let size = 0;
  const flush = () => {
    writeAt(fd, Buffer.concat(gathered, size), end - size);
    gathered = [];
    size = 0;
  };
  for (const piece of pieces) {
    if (!(piece instanceof Uint8Array)) {
      writeAt(fd, piece.bytes, piece.at);
      continue;
    }
    gathered.push(piece);
    size += piece.length;
    end += piece.length;
    if (size >= gatherBytes) flush();
  }
  flush();
}

function writeAt(fd: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length;) {
    done += step('write', () => writeSync(fd, bytes, done, bytes.length - done, position + done));
  }
}

function step<T>(name: ReplaceTrouble['step'], work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new ReplaceTrouble(name, cause);
  }
}

function forget(temporary: string | Buffer): void {
  try {
    unlinkSync(temporary);
  } catch {
    // It may never have been there; the trouble before this one is the one to tell.
  }
}

/** So that a power cut cannot undo the move. Where directories cannot be synced, the old file may come back. */
function syncDirectoryOf(target: string | Buffer): void {
  const path = typeof target === 'string' ? target : target.toString('latin1');
  const directory = dirname(path);
  try {
    syncPath(typeof target === 'string' ? directory : Buffer.from(directory, 'latin1'));
  } catch {
    // The file itself is on disk, under one of its names or the other.
  }
}
