import { describe, expect, it } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { doorPlaces } from '../../src/composition/roles/door-places.ts';
import { openFilesLimit } from '../../src/platform/open-files.ts';
import { tempDir } from '../support/temp-dir.ts';

const wanted = { connections: 20_000, perAddress: 50, processes: 1, kinds: 1, openFiles: 65_536 };

describe('the connections of a door', () => {
  it.each([
    ['as many as the operator says', {}, { most: 20_000, mostPerAddress: 50 }],
    ['its share of them', { processes: 3 }, { most: 6_666, mostPerAddress: 17 }],
    ['at least one', { connections: 1, processes: 4 }, { most: 1, mostPerAddress: 13 }],
    ['any number from one address', { perAddress: 0 }, { most: 20_000, mostPerAddress: 0 }],
    ['any number where no limit is known', { openFiles: undefined }, { most: 20_000 }],
    ['any number where there is none', { openFiles: Infinity }, { most: 20_000 }],
  ])('are %s', (_, changes, places) => {
    const got = doorPlaces({ ...wanted, ...changes });
    expect(got).toMatchObject(places);
    expect(got.shortage).toBeUndefined();
  });

  it('are no more than it can open, and the operator hears so', () => {
    expect(doorPlaces({ ...wanted, processes: 2, kinds: 3, openFiles: 4_096 })).toEqual({
      ...{ most: 1_322, mostPerAddress: 25 },
      shortage:
        '20000 connections need 30128 open files in each door, and ulimit -n is 4096: ' +
        'no more than 2644 are taken',
    });
    expect(doorPlaces({ ...wanted, openFiles: 64 }).most).toBe(1);
  });
});

describe('the limit of open files', () => {
  it.each([
    ['Max open files            1024                 4096                 files     \n', 1024],
    ['Max open files            unlimited            unlimited            files     \n', Infinity],
    ['Max locked memory         65536                65536                bytes     \n', undefined],
  ])('is read from what Linux says: %j', (line, limit) => {
    const dir = tempDir();
    const head = 'Limit                     Soft Limit           Hard Limit           Units     \n';
    writeFileSync(dir.file('limits'), head + line);
    const told = openFilesLimit(dir.file('limits'));
    dir.remove();
    expect(told).toBe(limit);
  });

  it('is unknown elsewhere', () => {
    expect(openFilesLimit('/nowhere/limits')).toBeUndefined();
  });
});
