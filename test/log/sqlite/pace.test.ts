import { describe, expect, it } from '@jest/globals';
import { Pace } from '../../../src/log/sqlite/pace.ts';

/** Commits of so many appends, one every so many milliseconds. */
function after(commits: number, appends: number, everyMs: number) {
  const pace = new Pace(3);
  for (let n = 0; n < commits; n += 1) pace.note(appends, n * everyMs);
  return { pace, now: (commits - 1) * everyMs };
}

describe('a commit', () => {
  it('waits for nobody at first', () => {
    expect(new Pace().wanted(0)).toBe(1);
  });

  it.each([1, 2])(
    'waits for nobody while %i at a time is all there is, however fast',
    (appends) => {
      const { pace, now } = after(200, appends, 0.5);
      expect(pace.wanted(now)).toBe(1);
    },
  );

  it.each([
    ['as many as come in the time it may wait', 21, 20, 3],
    ['no more than came together before', 8, 1, 8],
  ])('waits for %s', (_what, appends, everyMs, expected) => {
    const { pace, now } = after(400, appends, everyMs);
    expect(pace.wanted(now)).toBe(expected);
  });

  it('waits for nobody when few come, though they come together', () => {
    const { pace, now } = after(200, 3, 50);
    expect(pace.wanted(now)).toBe(1);
  });

  it('has forgotten the crowd after a pause', () => {
    const { pace, now } = after(200, 8, 2);
    expect(pace.wanted(now + 101)).toBe(1);
    pace.note(1, now + 101);
    expect(pace.wanted(now + 102)).toBe(1);
  });
});
