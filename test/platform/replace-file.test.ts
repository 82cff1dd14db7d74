import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReplaceTrouble } from '../../src/platform/replace-file.ts';
import { replaceFile } from '../../src/platform/replace-file.ts';
import { tempDir } from '../support/temp-dir.ts';

let dir: ReturnType<typeof tempDir>;
let target: string;
let temporary: string;
beforeEach(() => {
  dir = tempDir();
  target = join(dir.path, 'table');
  temporary = join(dir.path, 'table.tmp');
  writeFileSync(target, 'old');
});
afterEach(() => dir.remove());

const step = (work: () => void): string => {
  try {
    work();
  } catch (cause) {
    return (cause as ReplaceTrouble).step;
  }
  return 'done';
};

describe('a new file in the place of an old one', () => {
  it('has its pieces in their order, and those with a place of their own there', () => {
    const pieces = [Buffer.from('cd'), Buffer.from('ef'), { at: 0, bytes: Buffer.from('ab') }];
    replaceFile({ target, temporary, from: 2, pieces });
    expect(readFileSync(target, 'utf8')).toBe('abcdef');
    expect(existsSync(temporary)).toBe(false);
  });

  it('is written whole though it is large', () => {
    const piece = Buffer.alloc(50_000, 'x');
    replaceFile({ target, temporary, pieces: Array.from({ length: 9 }, () => piece) });
    expect(readFileSync(target).equals(Buffer.alloc(450_000, 'x'))).toBe(true);
  });

  it('has the mode it is given, whatever the umask', () => {
    const before = process.umask(0o077);
    try {
      replaceFile({ target, temporary, pieces: [], mode: 0o644 });
      expect(statSync(target).mode & 0o777).toBe(0o644);
      replaceFile({ target, temporary, pieces: [] });
      expect(statSync(target).mode & 0o777).toBe(0o600);
    } finally {
      process.umask(before);
    }
  });

  it('leaves the old one when its pieces cannot be made', () => {
    function* pieces() {
      yield Buffer.from('new');
      throw new Error('bad source');
    }
    expect(() => replaceFile({ target, temporary, pieces: pieces() })).toThrow('bad source');
    expect(readFileSync(target, 'utf8')).toBe('old');
    expect(existsSync(temporary)).toBe(false);
  });

  it('says which step failed', () => {
    const elsewhere = join(dir.path, 'missing', 'tmp');
    expect(step(() => replaceFile({ target, temporary: elsewhere, pieces: [] }))).toBe('create');
    // By a link, so that nothing can happen to the device.
    const full = join(dir.path, 'full');
    symlinkSync('/dev/full', full);
    const pieces = [Buffer.from('x')];
    expect(step(() => replaceFile({ target, temporary: full, pieces }))).toBe('write');
    mkdirSync(join(dir.path, 'folder/full'), { recursive: true });
    expect(step(() => replaceFile({ target: join(dir.path, 'folder'), temporary, pieces: [] }))).toBe('move'); // prettier-ignore
    expect(readFileSync(target, 'utf8')).toBe('old');
  });
});
