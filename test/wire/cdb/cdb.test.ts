import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cdbBuilder, CdbFull } from '../../../src/wire/cdb/builder.ts';
import { buildCdb } from '../../support/build-cdb.ts';
import { cdbHash } from '../../../src/wire/cdb/hash.ts';
import { inspectCdb } from '../../../src/wire/cdb/inspect.ts';
import { bytesAsSource, CdbDamage, openCdb } from '../../../src/wire/cdb/reader.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');
const text = (data: Uint8Array | undefined) => data && Buffer.from(data).toString('latin1');

type Pairs = readonly (readonly [string, string])[];
const build = (pairs: Pairs) => buildCdb(pairs.map(([key, data]) => [bytes(key), bytes(data)]));
const read = (database: Uint8Array) => openCdb(bytesAsSource(database));

describe('the hash of a key', () => {
  it.each([
    ['', 0x00001505, 5, 21],
    ['a', 0x0002b5c4, 196, 693],
    ['127.', 0x7c5406df, 223, 8147974],
    ['=.example.com', 0xed72d6d1, 209, 15561430],
    [':root@yp.to', 0x52cd8345, 69, 5426563],
    [':@example.com', 0x229c5bb8, 184, 2268251],
    ['?list@example.com', 0xffd2b81f, 31, 16765624],
  ])('%j is %i', (key, hash, table, start) => {
    expect(cdbHash(bytes(key))).toBe(hash);
    expect([hash % 256, Math.floor(hash / 256)]).toEqual([table, start]);
  });
});

describe('a database', () => {
  it('without records is 256 empty tables', () => {
    const database = build([]);
    expect(database.length).toBe(2048);
    expect(Buffer.from(database).toString('hex')).toBe('0008000000000000'.repeat(256));
  });

  it('with one record lies as the format says, byte by byte', () => {
    const hex = Buffer.from(build([['a', 'b']])).toString('hex');
    expect(hex).toBe(
      [
        '0a08000000000000'.repeat(196),
        '0a08000002000000',
        '1a08000000000000'.repeat(59),
        '0100000001000000' + '6162',
        '0000000000000000',
        'c4b5020000080000',
      ].join(''),
    );
  });

  it('gives the first of equal keys, and all of them in their order', () => {
    const cdb = read(build([['k', '1'], ['other', 'x'], ['k', '2'], ['k', '3']])); // prettier-ignore
    expect(text(cdb.get(bytes('k')))).toBe('1');
    expect([...cdb.getAll(bytes('k'))].map(text)).toEqual(['1', '2', '3']);
  });

  it('may have an empty key, and empty data', () => {
    const cdb = read(build([['', 'nobody'], ['empty', '']])); // prettier-ignore
    expect(text(cdb.get(bytes('')))).toBe('nobody');
    expect(cdb.get(bytes('empty'))?.length).toBe(0);
    expect(cdb.get(bytes('missing'))).toBeUndefined();
  });

  it('is found through a probe that goes round the end of its table', () => {
    // Table of two records has four slots; both begin at the last one.
    const keys = Array.from({ length: 20_000 }, (_, i) => `k${i}`).filter((key) => {
      const hash = cdbHash(bytes(key));
      return hash % 256 === 7 && (hash >>> 8) % 4 === 3;
    });
    const [one = '', two = ''] = keys;
    const cdb = read(build([[one, '1'], [two, '2']])); // prettier-ignore
    expect([text(cdb.get(bytes(one))), text(cdb.get(bytes(two)))]).toEqual(['1', '2']);
  });

  it('is read as it was written, whatever the bytes', () => {
    const piece = fc.uint8Array({ maxLength: 12 });
    fc.assert(
      fc.property(fc.array(fc.tuple(piece, piece), { maxLength: 60 }), (pairs) => {
        const cdb = read(buildCdb(pairs));
        const records = [...cdb.records()].map(({ key, data }) => [text(key), text(data)]);
        expect(records).toEqual(pairs.map((pair) => pair.map(text)));
        for (const [key] of pairs) {
          const same = pairs.filter(([other]) => text(other) === text(key));
          expect([...cdb.getAll(key)].map(text)).toEqual(same.map(([, data]) => text(data)));
        }
      }),
    );
  });

  it('cannot grow over four gigabytes, and says so', () => {
    const builder = cdbBuilder();
    const quarter = new Uint8Array(new ArrayBuffer(2 ** 29));
    for (let i = 0; i < 7; i += 1) builder.add(bytes(`${i}`), quarter);
    expect(() => builder.add(bytes('last'), quarter)).toThrow(CdbFull);
    expect(() => builder.add(bytes('last'), new Uint8Array(8))).not.toThrow();
  });
});

describe('a broken database', () => {
  const whole = build(Array.from({ length: 40 }, (_, i) => [`key${i}`, `data${i}`] as const));

  it('never says that a key is missing or different when it was cut short', () => {
    for (let length = 0; length < whole.length; length += 1) {
      const cdb = read(whole.subarray(0, length));
      for (const i of [0, 17, 39]) {
        let found: string | undefined;
        try {
          found = text(cdb.get(bytes(`key${i}`)));
        } catch (cause) {
          expect(cause).toBeInstanceOf(CdbDamage);
          continue;
        }
        expect(found).toBe(`data${i}`);
      }
      expect(() => inspectCdb(bytesAsSource(whole.subarray(0, length)))).toThrow(CdbDamage);
    }
    expect(() => inspectCdb(bytesAsSource(whole))).not.toThrow();
  });

  it('is an error or an answer, but never an endless search, whatever its bytes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 30 }),
        (changes) => {
          const bad = Uint8Array.from(whole);
          for (const [at, byte] of changes) bad[at] = byte;
          const cdb = read(bad);
          for (const look of [
            () => cdb.get(bytes('key7')),
            () => [...cdb.getAll(bytes('key8'))],
            () => [...cdb.records()],
          ]) {
            try {
              look();
            } catch (cause) {
              expect(cause).toBeInstanceOf(CdbDamage);
            }
          }
        },
      ),
    );
  });

  it.each([
    ['a table behind the end', 0, 0xfffffff0],
    ['a table in the header', 0, 8],
  ])('with %s is told at the look-up', (_, offset, position) => {
    const bad = Buffer.from(whole);
    for (let table = 0; table < 256; table += 1) bad.writeUInt32LE(position, offset + table * 8);
    expect(() => read(bad).get(bytes('key1'))).toThrow(CdbDamage);
  });

  it('with records longer than the file is told at the look-up and when all are read', () => {
    const bad = Buffer.from(build([['a', 'b']]));
    bad.writeUInt32LE(0xffffffff, 2052);
    expect(() => read(bad).get(bytes('a'))).toThrow('a record is longer than the file');
    expect(() => [...read(bad).records()]).toThrow(CdbDamage);
  });
});
