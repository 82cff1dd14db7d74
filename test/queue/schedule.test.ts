import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isExpired, nextAttempt } from '../../src/queue/schedule.ts';

const birth = Date.UTC(2026, 10, 20);
const week = 604_800;

/** Age in seconds of the next attempt after one that began at `age`. */
const after = (age: number, channel: 'local' | 'remote') =>
  (nextAttempt(birth, birth + age * 1000, channel) - birth) / 1000;

/** Ages of all attempts of a letter whose every attempt is deferred at once. */
function attempts(channel: 'local' | 'remote', lifetime: number): number[] {
  const ages = [0];
  while (!isExpired(birth, birth + (ages.at(-1) ?? 0) * 1000, lifetime)) {
    ages.push(after(ages.at(-1) ?? 0, channel));
  }
  return ages;
}

describe('the k-th retry after an immediate first try', () => {
  it.each([
    [0, 0, 0],
    [1, 100, 400],
    [2, 400, 1600],
    [3, 900, 3600],
    [4, 1600, 6400],
    [5, 2500, 10_000],
    [6, 3600, 14_400],
    [7, 4900, 19_600],
    [8, 6400, 25_600],
    [9, 8100, 32_400],
    [10, 10_000, 40_000],
    [11, 12_100, 48_400],
    [12, 14_400, 57_600],
    [13, 16_900, 67_600],
    [14, 19_600, 78_400],
    [15, 22_500, 90_000],
    [16, 25_600, 102_400],
    [17, 28_900, 115_600],
    [18, 32_400, 129_600],
    [19, 36_100, 144_400],
    [20, 40_000, 160_000],
  ])('falls for k=%d at %d s locally and %d s remotely', (k, local, remote) => {
    expect(attempts('local', week)[k]).toBe(local);
    expect(attempts('remote', week)[k]).toBe(remote);
  });

  it('is the last at 608400 s: the 79th try locally, the 40th remotely', () => {
    expect(attempts('local', week).slice(-1)).toEqual([608_400]);
    expect(attempts('local', week)).toHaveLength(79);
    expect(attempts('remote', week).slice(-1)).toEqual([608_400]);
    expect(attempts('remote', week)).toHaveLength(40);
  });
});

describe('a retry off schedule', () => {
  it.each([
    ['remote', 1000, 2601],
    ['local', 137, 441],
    ['remote', 0.999, 400],
    ['remote', 99.999, 841],
    ['remote', 100, 900],
  ] as const)('%s at age %d s is followed by one at %d s', (channel, age, next) => {
    expect(after(age, channel)).toBe(next);
  });

  it('of a letter from the future counts from its birth', () => {
    expect(nextAttempt(birth, birth - 5000, 'local')).toBe(birth + 100_000);
    expect(nextAttempt(birth, birth - 86_400_000, 'remote')).toBe(birth + 400_000);
  });
});

describe('a letter', () => {
  it.each([
    [604_800, false],
    [604_800.999, false],
    [604_801, true],
    [-1, false],
  ])('of %d s expires after a week: %p', (age, expired) => {
    expect(isExpired(birth, birth + age * 1000, week)).toBe(expired);
  });

  it('has no second chance when its lifetime is 0 s and it is older than that', () => {
    expect(isExpired(birth, birth, 0)).toBe(false);
    expect(isExpired(birth, birth + 1000, 0)).toBe(true);
  });
});

describe('due times', () => {
  const channels = fc.constantFrom('local', 'remote');
  const ages = fc.integer({ min: -1_000_000, max: 10 ** 12 });

  it('always come later than the attempt', () => {
    fc.assert(
      fc.property(ages, channels, (age, channel) => {
        expect(nextAttempt(birth, birth + age, channel)).toBeGreaterThan(birth + age);
      }),
    );
  });

  it('never go backwards', () => {
    fc.assert(
      fc.property(ages, fc.nat(10 ** 9), channels, (age, later, channel) => {
        const [first, second] = [age, age + later].map((at) =>
          nextAttempt(birth, birth + at, channel),
        );
        expect(second).toBeGreaterThanOrEqual(first ?? NaN);
      }),
    );
  });

  it('do not depend on when the letter was born, only on its age', () => {
    fc.assert(
      fc.property(ages, fc.nat(10 ** 9), channels, (age, shift, channel) => {
        const moved = birth + shift;
        expect(nextAttempt(moved, moved + age, channel) - shift).toBe(
          nextAttempt(birth, birth + age, channel),
        );
      }),
    );
  });
});
