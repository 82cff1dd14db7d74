/** The files that the programs for tables read and write. Paths and texts are byte strings. */
import { closeSync, existsSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { openCdbFile, writeCdbFile, type CdbFile } from '../../../platform/cdb-file.ts';
import { replaceFile } from '../../../platform/replace-file.ts';

export type TextRecord = readonly [key: string, data: string];

/** Where a new file goes: `target`, by way of `temporary` in the same directory. */
export type Place = {
  readonly target: string;
  readonly temporary: string;
  /** The file's mode, whatever the umask; absent: 0644 less the umask. */
  readonly mode?: number;
};

/** Errors are the system's own, and `ReplaceTrouble`; then the file that was there is there still. */
export interface TableFiles {
  exists(path: string): boolean;
  read(path: string): string;
  /** Permission bits along with the text. */
  readWithMode(path: string): { readonly text: string; readonly mode: number };
  openCdb(path: string): TextCdb;
  write(place: Place, pieces: Iterable<string>): void;
  writeCdb(place: Place, records: Iterable<TextRecord>): void;
}

export type TextCdb = {
  get(key: string): string | undefined;
  records(): Iterable<TextRecord>;
  close(): void;
};

export const systemTableFiles: TableFiles = {
  exists: (path) => existsSync(toPath(path)),
  read: (path) => readFileSync(toPath(path)).toString('latin1'),
  readWithMode(path) {
    const fd = openSync(toPath(path), 'r');
    try {
      return { text: readFileSync(fd).toString('latin1'), mode: fstatSync(fd).mode & 0o7777 };
    } finally {
      closeSync(fd);
    }
  },
  openCdb: (path) => toTextCdb(openCdbFile(toPath(path))),
  write: (place, pieces) => replaceFile({ ...toPaths(place), pieces: encodeAll(pieces) }),
  writeCdb: (place, records) =>
    writeCdbFile({ ...toPaths(place), records: encodeRecords(records) }),
};

/** The name byte by byte, UTF-8 or not. */
const toPath = (path: string): Buffer => Buffer.from(path, 'latin1');

const toPaths = ({ target, temporary, mode }: Place) => ({
  target: toPath(target),
  temporary: toPath(temporary),
  ...(mode === undefined ? {} : { mode }),
});

function* encodeAll(pieces: Iterable<string>): Generator<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece, 'latin1');
}

function* encodeRecords(
  records: Iterable<TextRecord>,
): Generator<readonly [Uint8Array, Uint8Array]> {
  for (const [key, data] of records)
    yield [Buffer.from(key, 'latin1'), Buffer.from(data, 'latin1')];
}

const decode = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

export function toTextCdb(cdb: Pick<CdbFile, 'get' | 'records'> & Partial<CdbFile>): TextCdb {
  return {
    get(key) {
      const data = cdb.get(Buffer.from(key, 'latin1'));
      return data === undefined ? undefined : decode(data);
    },
    *records() {
      for (const { key, data } of cdb.records()) yield [decode(key), decode(data)];
    },
    close: () => cdb.close?.(),
  };
}
