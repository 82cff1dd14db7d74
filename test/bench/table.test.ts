import { describe, expect, it } from '@jest/globals';
import type { Run } from './measure.ts';
import { formatRuns } from './run-table.ts';
import { formatRows, median, quantile, ratio } from './table.ts';

describe('the figures of a bench', () => {
  it.each([
    [[], undefined],
    [[3], 3],
    [[9, 1, 5], 5],
    [[1, 2, 3, 10], 2.5],
  ])('of %j have the median %p', (values, middle) => {
    expect(median(values)).toBe(middle);
  });

  it.each([
    [0.5, 50],
    [0.99, 99],
    [1, 100],
  ])('of 1 to 100 have their %p-quantile at %i', (part, value) => {
    const values = Array.from({ length: 100 }, (_, n) => 100 - n);
    expect(quantile(values, part)).toBe(value);
    expect(quantile([7], part)).toBe(7);
    expect(quantile([], part)).toBeUndefined();
  });

  it('are compared only where there is something to compare with', () => {
    expect([ratio(3, 2), ratio(3, undefined), ratio(3, 0)]).toEqual(['1.50x', '-', '-']);
  });

  it('stand in columns: names on the left, numbers on the right', () => {
    expect(
      formatRows(
        [
          ['', 'a/s'],
          ['relay', '1'],
          ['x', '12345'],
        ],
        1,
      ),
    ).toBe('         a/s\nrelay      1\nx      12345');
  });

  const run = (server: string, finishedPerSecond: number, disturbed = false): Run => ({
    ...{ server, what: 'reused', letters: 100, acceptedPerSecond: 1, finishedPerSecond },
    ...{ cpuMs: 1, cpuAfterMs: 0, syncs: 1, kibibytes: 1, peakMebibytes: 1, roles: [] },
    ...{ others: 0, disturbed },
  });

  it('leave runs out that others disturbed, and name those they cannot leave out', () => {
    const undisturbed = formatRuns([run('waybill', 300), run('waybill', 10, true)]);
    expect(undisturbed).toMatch(/waybill +1 +300 /);
    const disturbed = formatRuns([run('waybill', 10, true)]);
    expect(disturbed).toMatch(/waybill ~ +1 +10 /);
    expect(disturbed).toMatch(/others used the machine/);
  });

  it('say what Waybill is to Postfix when both were there', () => {
    expect(formatRuns([run('waybill', 300), run('postfix', 100)])).toMatch(/ratio +1.00x +3.00x/);
  });
});
