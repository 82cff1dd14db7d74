import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { safeLine, sanitizeForLog } from '../../src/mail/sanitize.ts';

describe('a report in the log', () => {
  it.each([
    [
      'Sorry, no mailbox here by that name. (#5.1.1)\n',
      'Sorry,_no_mailbox_here_by_that_name._(#5.1.1)/',
    ],
    ['out\nerr\n', 'out/err/'],
    ['100% ü\t\x7f\x1b[0m', '100_______[0m'],
    ['', ''],
  ])('%j becomes %j', (text, safe) => {
    expect(sanitizeForLog(text)).toBe(safe);
  });

  it('is one line of printable ASCII without blanks and percent signs', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(sanitizeForLog(text)).toMatch(/^[!-$&-~]*$/);
      }),
    );
  });
});

describe('one safe line', () => {
  it.each([
    ['550 no\r\nsuch\tuser\n', 80, '550 no such user'],
    ['caf\u00e9 \u{1F600}\x1b[31m', 80, 'caf? ??[31m'],
    ['abcdefghij', 10, 'abcdefghij'],
    ['abcdefghijk', 10, 'abcdefg...'],
    ['abcdef', 2, 'ab'],
    ['', 10, ''],
  ])('of %j with at most %d characters is %j', (text, maxLength, line) => {
    expect(safeLine(text, maxLength)).toBe(line);
  });

  it('is never longer than asked, and never anything but printable ASCII', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.nat(50), (text, maxLength) => {
        const line = safeLine(text, maxLength);
        expect(line.length).toBeLessThanOrEqual(maxLength);
        expect(line).toMatch(/^[ -~]*$/);
      }),
    );
  });
});
