import { describe, expect, it } from '@jest/globals';
import { toAsciiJson } from '../../src/trace/json.ts';
import { formatInstant, formatReply, formatSpan, formatWhen } from '../../src/trace/words.ts';

describe('a span of time', () => {
  it.each([
    [-5, '0 ms'],
    [320, '320 ms'],
    [1_240, '1.2 s'],
    [9_949, '9.9 s'],
    [9_999, '10 s'],
    [99_990, '1 min 40 s'],
    [400_000, '6 min 40 s'],
    [3_600_000, '1 h'],
    [10_920_000, '3 h 2 min'],
    [187_200_000, '2 d 4 h'],
  ])('of %d ms is %s', (ms, expected) => {
    expect(formatSpan(ms)).toBe(expected);
  });

  it('is told from where one stands', () => {
    expect([
      formatWhen(5_000, 5_300),
      formatWhen(65_000, 5_000),
      formatWhen(5_000, 65_000),
    ]).toEqual(['now', 'in 1 min', '1 min ago']);
  });
});

describe('an instant', () => {
  it('beyond every calendar is never', () => {
    expect([formatInstant(Infinity), formatInstant(1e300), formatInstant(NaN)]).toEqual([
      'never',
      'never',
      'never',
    ]);
  });
});

describe("a stranger's reply", () => {
  it('comes out as one line without control characters', () => {
    const reply = {
      text: 'one\nt\u001b[31mwo\r\n\u009b2J\u202e',
      host: 'mx\u0007',
      address: '192.0.2.1',
    };
    const shown = formatReply(reply);
    expect(shown).toBe('mx? [192.0.2.1]: one t?[31mwo ?2J?');
    expect(shown).toMatch(/^[ -~]*$/);
  });

  it('names its host only where the words do not', () => {
    expect(formatReply({ text: '192.0.2.1 said no', address: '192.0.2.1' })).toBe(
      '192.0.2.1 said no',
    );
  });
});

describe('JSON on a terminal', () => {
  it('is ASCII, and reads back as what it was', () => {
    const value = { text: 'ü\u001b\u007f\u009b\u202e😀\n' };
    expect(toAsciiJson(value)).toMatch(/^[ -~]*$/);
    expect(JSON.parse(toAsciiJson(value))).toEqual(value);
  });
});
