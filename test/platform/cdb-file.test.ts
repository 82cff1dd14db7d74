import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { cdbAt, inspectCdbFile, openCdbFile, writeCdbFile } from '../../src/platform/cdb-file.ts';
import { CdbDamage } from '../../src/wire/cdb/reader.ts';
import { tempDir, type TempDir } from '../support/temp-dir.ts';

let dir: TempDir;
let target: string;
beforeEach(() => {
  dir = tempDir();
  target = dir.file('table.cdb');
});
afterEach(() => dir.remove());

const bytes = (text: string) => Buffer.from(text);
const write = (pairs: readonly (readonly [string, string])[], to = target) =>
  writeCdbFile({
    target: to,
    temporary: `${to}.tmp`,
    records: pairs.map(([key, data]) => [bytes(key), bytes(data)]),
  });
const got = (data: Uint8Array | undefined) => data && Buffer.from(data).toString();

describe('a database on disk', () => {
  it('gives what was put in, from wherever it lies in the file', () => {
    const pairs = Array.from(
      { length: 5_000 },
      (_, i) => [`key${i}`, 'x'.repeat(i % 300)] as const,
    );
    write(pairs);
    const cdb = openCdbFile(target);
    for (const [key, data] of pairs) expect(got(cdb.get(bytes(key)))).toBe(data);
    expect(cdb.get(bytes('key5000'))).toBeUndefined();
    expect([...cdb.records()]).toHaveLength(5_000);
    cdb.close();
  });

  it('stays one version for whoever has opened it, while another takes its name', () => {
    write([['k', 'old']]);
    const cdb = openCdbFile(target);
    write([['k', 'new']]);
    expect(got(cdb.get(bytes('k')))).toBe('old');
    cdb.close();
  });

  it('is damaged, not empty, when it was cut short', () => {
    write([['k', 'v']]);
    inspectCdbFile(target);
    const cdb = openCdbFile(target);
    truncateSync(target, 2050);
    expect(() => cdb.get(bytes('k'))).toThrow(CdbDamage);
    cdb.close();
    expect(() => inspectCdbFile(target)).toThrow(CdbDamage);
    truncateSync(target, 0);
    expect(() => openCdbFile(target).get(bytes('k'))).toThrow(CdbDamage);
  });
});

describe('the database at a path', () => {
  it('is the one that lies there at each look-up, or none', () => {
    const place = cdbAt(target);
    const look = () => got(place.current()?.get(bytes('k')));
    expect(place.current()).toBeUndefined();
    write([['k', '1']]);
    expect(look()).toBe('1');
    expect(place.current()).toBe(place.current());
    write([['k', '2']]);
    expect(look()).toBe('2');
    const other = dir.file('other.cdb');
    write([['k', '3']], other);
    renameSync(other, target);
    expect(look()).toBe('3');
    rmSync(target);
    expect(place.current()).toBeUndefined();
    write([['k', '4']]);
    expect(look()).toBe('4');
    writeFileSync(target, 'no database');
    expect(look).toThrow(CdbDamage);
    place.close();
  });
});
