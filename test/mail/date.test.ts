import { describe, expect, it } from '@jest/globals';
import { formatDate, formatFromDate } from '../../src/mail/date.ts';

describe('a date', () => {
  it.each([
    [Date.UTC(2026, 10, 20, 23, 48, 1), '20 Nov 2026 23:48:01 -0000'],
    [Date.UTC(2026, 10, 20, 23, 48, 1, 999), '20 Nov 2026 23:48:01 -0000'],
    [Date.UTC(2026, 0, 1), '1 Jan 2026 00:00:00 -0000'],
    [Date.UTC(2024, 1, 29, 9, 5, 7), '29 Feb 2024 09:05:07 -0000'],
    [0, '1 Jan 1970 00:00:00 -0000'],
  ])('of instant %d in a header is %s', (instant, text) => {
    expect(formatDate(instant)).toBe(text);
  });

  it('says GMT where qmail-qread does', () => {
    const at = Date.UTC(2026, 10, 20, 23, 54, 53);
    expect(formatDate(at, 'GMT')).toBe('20 Nov 2026 23:54:53 GMT');
  });

  it.each([
    [Date.UTC(2026, 10, 20, 23, 49, 9), 'Fri Nov 20 23:49:09 2026'],
    [Date.UTC(2026, 10, 20, 23, 57, 46), 'Fri Nov 20 23:57:46 2026'],
    [Date.UTC(2026, 10, 1, 0, 0, 0), 'Sun Nov 01 00:00:00 2026'],
  ])('of instant %d in a From_ line is %s', (instant, text) => {
    expect(formatFromDate(instant)).toBe(text);
  });
});
