import { describe, expect, it } from '@jest/globals';
import { restBetween } from '../../src/cli/giving-way.ts';

const before = { ran: 1_000, waited: 2_000, free: 3_000, at: 4_000 };
const after = (since: { ran: number; waited: number; free: number; elapsed: number }) => ({
  ran: before.ran + since.ran,
  waited: before.waited + since.waited,
  free: before.free + since.free,
  at: before.at + since.elapsed,
});

describe('a command that reads much', () => {
  it.each([
    ['goes on at once where processors are free', { ran: 2, waited: 0, free: 600, elapsed: 300 }],
    ['goes on at once after a short wait', { ran: 2, waited: 0.9, free: 600, elapsed: 300 }],
    ['does not judge by too short a time', { ran: 2, waited: 0, free: 0, elapsed: 99 }],
  ])('%s', (_, since) => {
    expect(restBetween(before, after(since), 0.01)).toBe(0);
  });

  it.each([
    ['when it was kept waiting', { ran: 2, waited: 1, free: 600, elapsed: 300 }, 0.01, 198],
    ['when hardly anything is free', { ran: 2, waited: 0, free: 149, elapsed: 300 }, 0.01, 198],
    ['longer, the smaller its share is', { ran: 2, waited: 5, free: 0, elapsed: 9 }, 0.004, 498],
    ['no longer than a second', { ran: 50, waited: 500, free: 0, elapsed: 600 }, 0.01, 1_000],
  ])('rests %s', (_, since, share, ms) => {
    expect(restBetween(before, after(since), share)).toBeCloseTo(ms);
  });
});
