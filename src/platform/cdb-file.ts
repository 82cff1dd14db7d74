/** Databases on disk: opened for reading by position, and written anew in the place of an old one. */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { cdbBuilder } from '../wire/cdb/builder.ts';
import { inspectCdb } from '../wire/cdb/inspect.ts';
import { headerBytes } from '../wire/cdb/layout.ts';
import { CdbDamage, openCdb, type ByteSource, type Cdb } from '../wire/cdb/reader.ts';
import { replaceFile, type FilePiece } from './replace-file.ts';

export type CdbFile = Cdb & { close(): void };

/** Keeps the file open: whoever has it sees one version of it, though a new one may take its name. */
export function openCdbFile(path: string | Buffer): CdbFile {
  const fd = openSync(path, 'r');
  try {
    return { ...openCdb(sourceOf(fd)), close: () => closeSync(fd) };
  } catch (cause) {
    closeSync(fd);
    throw cause;
  }
}

/** Throws `CdbDamage` or the system's error where a look-up may not work. */
export function inspectCdbFile(path: string): void {
  const fd = openSync(path, 'r');
  try {
    inspectCdb(sourceOf(fd));
  } finally {
    closeSync(fd);
  }
}

const sourceOf = (fd: number): ByteSource => ({
  size: fstatSync(fd).size,
  read: (position, length) => readExactly(fd, position, length),
});

function readExactly(fd: number, position: number, length: number): Uint8Array {
  const bytes = Buffer.alloc(length);
  for (let done = 0; done < length;) {
    const got = readSync(fd, bytes, done, length - done, position + done);
    // It was longer when we opened it: somebody writes into it, which no program of ours does.
    if (got === 0) throw new CdbDamage('the file has become shorter');
    done += got;
  }
  return bytes;
}

export interface CdbPlace {
  /** The database as it lies there now; `undefined` when there is none. Throws the system's error. */
  current(): Cdb | undefined;
  close(): void;
}

/** Follows a path: whoever moves a new database there is heard at the next look-up (one stat each). */
export function cdbAt(path: string): CdbPlace {
  let open: { readonly file: CdbFile; readonly version: string } | undefined;

  function close(): void {
    open?.file.close();
    open = undefined;
  }

  return {
    current() {
      const version = versionOf(path);
      if (version === open?.version) return open?.file;
      close();
      if (version === undefined) return undefined;
      open = { file: openCdbFile(path), version };
      return open.file;
    },
    close,
  };
}

/** What changes when another file takes the name, or this one is written to. */
function versionOf(path: string): string | undefined {
  // Asked for every local letter: an exception for each would cost more than the call.
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat && `${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeNs}`;
}

export type NewCdb = {
  readonly target: string | Buffer;
  readonly temporary: string | Buffer;
  readonly records: Iterable<readonly [key: Uint8Array, data: Uint8Array]>;
};

/** Errors: `ReplaceTrouble` with the step that failed, `CdbFull`; the old database is then still there. */
export function writeCdbFile({ target, temporary, records }: NewCdb): void {
  replaceFile({ target, temporary, from: headerBytes, pieces: piecesOf(records) });
}

function* piecesOf(records: NewCdb['records']): Generator<FilePiece> {
  const builder = cdbBuilder();
  for (const [key, data] of records) yield* builder.add(key, data);
  yield* builder.tables();
  yield { at: 0, bytes: builder.header() };
}
