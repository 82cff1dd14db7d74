/** The files of the programs for tables, in memory; databases are real ones. */
import {
  toTextCdb,
  type TableFiles,
  type TextRecord,
} from '../../src/cli/programs/tables/table-files.ts';
import { ReplaceTrouble } from '../../src/platform/replace-file.ts';
import { buildCdb } from './build-cdb.ts';
import { bytesAsSource, openCdb } from '../../src/wire/cdb/reader.ts';

export type MemoryFiles = TableFiles & {
  readonly texts: Map<string, string>;
  readonly modes: Map<string, number>;
  /** The records of a database, each as `key->data`. */
  dump(path: string): readonly string[];
};

const noEntry = (): Error => Object.assign(new Error('ENOENT'), { code: 'ENOENT' });

const toCdb = (records: Iterable<TextRecord>): string =>
  Buffer.from(
    buildCdb(
      [...records].map(([key, data]) => [Buffer.from(key, 'latin1'), Buffer.from(data, 'latin1')]),
    ),
  ).toString('latin1');

/** A folder is a path that ends in a slash. A path in `full` cannot be written. */
export function memoryFiles(
  files: { readonly [path: string]: string },
  full: readonly string[] = [],
): MemoryFiles {
  const texts = new Map(Object.entries(files));
  const modes = new Map<string, number>();
  const read = (path: string): string => {
    const found = texts.get(path);
    if (found === undefined) throw noEntry();
    return found;
  };
  const write = (target: string, temporary: string, text: string, mode = 0o644) => {
    if (full.includes(temporary)) {
      throw new ReplaceTrouble('write', Object.assign(new Error(), { code: 'ENOSPC' }));
    }
    texts.set(target, text);
    modes.set(target, mode);
  };
  const openText = (path: string) =>
    toTextCdb(openCdb(bytesAsSource(Buffer.from(read(path), 'latin1'))));
  return {
    ...{ texts, modes, read },
    exists: (path) => texts.has(path) || texts.has(`${path}/`),
    readWithMode: (path) => ({ text: read(path), mode: modes.get(path) ?? 0o644 }),
    openCdb: openText,
    write: ({ target, temporary, mode }, pieces) =>
      write(target, temporary, [...pieces].join(''), mode),
    writeCdb: ({ target, temporary, mode }, records) =>
      write(target, temporary, toCdb(records), mode),
    dump: (path) => [...openText(path).records()].map(([key, data]) => `${key}->${data}`),
  };
}
