import { describe, expect, it } from '@jest/globals';
import { formatQuota, isOver, parseQuota } from '../../src/mail/quota.ts';

describe('a quota', () => {
  it.each([
    ['1000000S', { maxBytes: 1_000_000 }],
    ['500C', { maxLetters: 500 }],
    ['1000000S,500C', { maxBytes: 1_000_000, maxLetters: 500 }],
    ['500C,1000S', { maxBytes: 1000, maxLetters: 500 }],
    ['10MB', { maxBytes: 10 * 1024 * 1024 }],
    ['10M', { maxBytes: 10 * 1024 * 1024 }],
    ['500KB', { maxBytes: 512_000 }],
    ['2g', { maxBytes: 2 * 1024 ** 3 }],
    ['12345', { maxBytes: 12_345 }],
    ['NOQUOTA', {}],
    ['0', {}],
    ['', {}],
    ['0S,500C', { maxLetters: 500 }],
    ['much', undefined],
    ['-5S', undefined],
    ['5MC', undefined],
    ['5S,', undefined],
    ['5S 5C', undefined],
  ])('%j means %j', (text, quota) => {
    expect(parseQuota(text)).toEqual(quota);
  });

  it.each([['1000000S,500C'], ['1000S'], ['500C']])('%s is written as it was read', (text) => {
    expect(formatQuota(parseQuota(text)!)).toBe(text);
  });

  it.each([
    ['1000S', 900, 5, 100, false],
    ['1000S', 900, 5, 101, true],
    ['10C', 0, 9, 999, false],
    ['10C', 0, 10, 0, true],
    ['', 1e12, 1e6, 1e9, false],
  ])(
    'of %j with %d bytes in %d letters and one of %d more is too small: %p',
    (text, bytes, letters, more, over) => {
      expect(isOver(parseQuota(text)!, { bytes, letters }, more)).toBe(over);
    },
  );
});
