import { describe, expect, it } from '@jest/globals';
import { errnoOf, errorWords, isTemporary } from '../../src/platform/errno.ts';

describe('an error of the system', () => {
  it.each([
    ['ENOENT', 'ENOENT', 'file does not exist', false],
    ['ENOSPC', 'ENOSPC', 'out of disk space', true],
    // As node calls what libuv has no name for.
    ['Unknown system error -122', 'EDQUOT', 'disk quota exceeded', true],
    ['Unknown system error -116', 'ESTALE', 'stale NFS file handle', true],
    ['Unknown system error -9999', 'Unknown system error -9999', 'unknown error', false],
  ])('%s is %s, %s', (code, name, words, temporary) => {
    const cause = Object.assign(new Error('told'), { code });
    expect(errnoOf(cause)).toBe(name);
    expect(errorWords(cause)).toBe(words);
    expect(isTemporary(cause)).toBe(temporary);
  });

  it.each([[undefined], [null], ['ENOENT'], [{}], [{ code: 7 }]])('is not %j', (cause) => {
    expect(errnoOf(cause)).toBeUndefined();
  });
});
