import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseInstant } from '../../src/trace/parse-instant.ts';
import { formatInstant } from '../../src/trace/words.ts';

/** A Saturday. */
const now = Date.UTC(2026, 10, 21, 7, 30);
const at = (text: string) => {
  const instant = parseInstant(text, now);
  return instant === undefined ? undefined : new Date(instant).toISOString();
};

describe('a time as a person types it', () => {
  it.each([
    ['2026-11-21', '2026-11-21T00:00:00.000Z'],
    ['2026-11-21 06:00', '2026-11-21T06:00:00.000Z'],
    ['2026-11-21T06:00:07', '2026-11-21T06:00:07.000Z'],
    ['2026-11-21T06:00:07.5Z', '2026-11-21T06:00:07.500Z'],
    ['2026-11-21t06:00:07,123456z', '2026-11-21T06:00:07.123Z'],
    ['2026-11-21T06:00+01:00', '2026-11-21T05:00:00.000Z'],
    ['2026-11-21 06:00 -0230', '2026-11-21T08:30:00.000Z'],
    ['2026-11-21 06:00 +1400', '2026-11-20T16:00:00.000Z'],
    ['2026-11-21 06:00-12:00', '2026-11-21T18:00:00.000Z'],
    ['2026-11-21 06:00 -00:00', '2026-11-21T06:00:00.000Z'],
    ['2026-11-21 06:00 +05:45', '2026-11-21T00:15:00.000Z'],
    ['2026-11-21+01:00', '2026-11-20T23:00:00.000Z'],
    ['2026-11-21 06:00 UTC', '2026-11-21T06:00:00.000Z'],
    ['@1763704800', '2025-11-21T06:00:00.000Z'],
    ['@1763704800.25', '2025-11-21T06:00:00.250Z'],
    ['now', '2026-11-21T07:30:00.000Z'],
    [' Now ', '2026-11-21T07:30:00.000Z'],
    ['-2h', '2026-11-21T05:30:00.000Z'],
    ['-90s', '2026-11-21T07:28:30.000Z'],
    ['-1d12h', '2026-11-19T19:30:00.000Z'],
    ['2 hours ago', '2026-11-21T05:30:00.000Z'],
    ['1 week ago', '2026-11-14T07:30:00.000Z'],
    ['10m ago', '2026-11-21T07:20:00.000Z'],
    ['today', '2026-11-21T00:00:00.000Z'],
    ['today 09:00', '2026-11-21T09:00:00.000Z'],
    ['yesterday', '2026-11-20T00:00:00.000Z'],
    ['yesterday 06:00', '2026-11-20T06:00:00.000Z'],
    ['06:00', '2026-11-21T06:00:00.000Z'],
    ['08:00', '2026-11-20T08:00:00.000Z'],
    ['tuesday 02:00', '2026-11-17T02:00:00.000Z'],
    ['last Tuesday 02:00', '2026-11-17T02:00:00.000Z'],
    ['saturday', '2026-11-14T00:00:00.000Z'],
    ['fri', '2026-11-20T00:00:00.000Z'],
  ])('%j is %s', (text, expected) => {
    expect(at(text)).toBe(expected);
  });

  it.each([
    '',
    ' ',
    'soon',
    '2026-13-01',
    '2026-02-31',
    '2026-11-21 24:00',
    '2026-11-21 06:60',
    '2026-11-21 06:00:60',
    '2026-11-21 06:00+99:00',
    '2026-11-21 06:00+14:01',
    '2026-11-21 06:00-12:30',
    '2026-11-21 06:00+01:60',
    '2026-11-21 06:00+1',
    '2026-11-21 06:00+010:00',
    '2026-11-21 06:00 CET',
    '2026-11-00',
    '0026-11-21',
    '-99999999999w',
    '2026-00-10',
    '25:00',
    '-',
    '-2',
    '-2y',
    '2 parsecs ago',
    'ago',
    'yesterday 6',
    'today 06:00 x',
    '21.11.2026',
    'last',
    '@',
    '1763704800',
  ])('%j is none', (text) => {
    expect(parseInstant(text, now)).toBeUndefined();
  });

  it('is read back as it was written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) }), (instant) => {
        expect(parseInstant(formatInstant(instant, 'ms'), now)).toBe(instant);
        expect(parseInstant(formatInstant(instant), now)).toBe(instant - (instant % 1000));
      }),
    );
  });

  it('never takes long and never throws, whatever is typed', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseInstant(text, now)));
  });

  it('has a name, whatever is typed', () => {
    const unit = fc.constantFrom('s', 'minutes', 'h', 'd', 'weeks');
    const typed = fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 18n }), unit);
    fc.assert(
      fc.property(typed, ([amount, of]) => {
        const instant = parseInstant(`-${amount}${of}`, now);
        if (instant !== undefined) expect(formatInstant(instant)).toMatch(/Z$/);
      }),
    );
  });
});
