import { describe, expect, it } from '@jest/globals';
import { LaneShares, quickMs, slowMs } from '../../src/queue/lane-shares.ts';

const slots = 20;

/** Gives slots to lanes in turns until none may have one more; how many each got. */
function fill(shares: LaneShares, lanes: readonly string[]): number[] {
  let free = slots - lanes.reduce((sum, lane) => sum + shares.of(lane), 0);
  for (let given = true; given && free > 0;) {
    given = false;
    for (const lane of lanes) {
      if (free === 0 || !shares.mayHaveOneMore(lane, free)) continue;
      shares.take(lane);
      free -= 1;
      given = true;
    }
  }
  return lanes.map((lane) => shares.of(lane));
}

/** Lanes whose last attempt took so long. */
function after(tookMs: number, lanes: readonly string[]): LaneShares {
  const shares = new LaneShares();
  for (const lane of lanes) {
    shares.take(lane);
    shares.giveBack(lane, tookMs);
  }
  return shares;
}

describe('of twenty slots', () => {
  it.each([
    [['a'], [15]],
    [
      ['a', 'b'],
      [9, 9],
    ],
    [
      ['a', 'b', 'c'],
      [6, 6, 6],
    ],
  ])('sound lanes %j get %j', (lanes, expected) => {
    expect(fill(after(quickMs + 1, lanes), lanes)).toEqual(expected);
  });

  it('a quick lane gets eighteen while it is alone; then the others have their share', () => {
    const shares = after(quickMs, ['a', 'b']);
    expect(fill(shares, ['a'])).toEqual([18]);
    expect(fill(shares, ['a', 'b'])).toEqual([18, 2]);
    for (let attempt = 0; attempt < 12; attempt += 1) shares.giveBack('a', 5);
    expect(fill(shares, ['a', 'b'])).toEqual([11, 7]);
  });

  it.each([
    [['a'], [7]],
    [
      ['a', 'b'],
      [5, 5],
    ],
    [
      ['a', 'b', 'c'],
      [4, 4, 4],
    ],
  ])('slow lanes %j get %j, and leave the rest to others', (lanes, expected) => {
    expect(fill(after(slowMs + 1, lanes), lanes)).toEqual(expected);
  });

  it('a sound lane beside three slow ones gets as many as it would beside one more like it', () => {
    const slow = ['a', 'b', 'c'];
    const shares = after(slowMs + 1, slow);
    fill(shares, slow);
    expect(fill(shares, [...slow, 'sound']).at(-1)).toBeGreaterThanOrEqual(6);
  });

  it('every lane gets one while there is one', () => {
    const lanes = Array.from({ length: slots }, (_, n) => `l${n}`);
    expect(fill(after(slowMs + 1, lanes), lanes)).toEqual(lanes.map(() => 1));
  });

  it('a lane is slow until an attempt is quick again', () => {
    const shares = after(slowMs + 1, ['a']);
    shares.take('a');
    shares.giveBack('a', 5);
    expect(fill(shares, ['a'])).toEqual([18]);
  });
});
