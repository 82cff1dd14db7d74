/** Which data directory is which, told over restarts and told from its copies. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homeOf, type Machine } from '../../src/composition/home.ts';
import { tempDir, type TempDir } from '../support/temp-dir.ts';

const machine: Machine = { id: 'a machine', boot: 'its third start' };

let dir: TempDir;
beforeEach(() => {
  dir = tempDir();
});
afterEach(() => dir.remove());

const of = (name: string, here = machine) => {
  mkdirSync(dir.file(name), { recursive: true });
  return homeOf(dir.file(name), `${dir.file(name)}/home`, here);
};

describe('the home of a node', () => {
  it('is the same at each start, until the machine starts again: then only its kernel is another', () => {
    const first = of('data');
    expect(of('data')).toEqual(first);
    expect(first.home).toMatch(/^[0-9a-f]{16}$/);
    const later = of('data', { ...machine, boot: 'its fourth start' });
    expect([later.home, later.boot === first.boot]).toEqual([first.home, false]);
  });

  it('is another in another directory, though machines call themselves the same and paths are the same', () => {
    const first = of('data');
    rmSync(dir.file('data'), { recursive: true });
    expect(of('data').home).not.toBe(first.home);
  });

  it('is another where the directory was copied, or the machine is another', () => {
    const first = of('data');
    cpSync(dir.file('data'), dir.file('copy'), { recursive: true });
    expect(readFileSync(`${dir.file('copy')}/home`)).toEqual(
      readFileSync(`${dir.file('data')}/home`),
    );
    expect(of('copy').home).not.toBe(first.home);
    renameSync(dir.file('data'), dir.file('elsewhere'));
    cpSync(dir.file('elsewhere'), dir.file('data'), { recursive: true });
    expect(of('data').home).not.toBe(first.home);
    expect(of('data', { ...machine, id: 'a clone that knows itself' }).home).not.toBe(
      of('data').home,
    );
  });

  it('is made anew where its file is spoiled, and says nothing of the kernel where that is not known', () => {
    const first = of('data');
    writeFileSync(`${dir.file('data')}/home`, 'what?');
    const again = of('data', { id: '', boot: '' });
    expect(again.home).not.toBe(first.home);
    expect(again.boot).toBeUndefined();
  });
});
