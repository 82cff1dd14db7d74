import { beforeEach, describe, expect, it } from '@jest/globals';
import { tellReplay } from '../../src/composition/tell-replay.ts';
import { silentLogger } from '../../src/platform/logger.ts';

let now: number;
let lines: object[];
const teller = () =>
  tellReplay(
    { ...silentLogger, info: (fields, message) => lines.push({ ...fields, message }) },
    () => now,
  );

beforeEach(() => {
  now = 0;
  lines = [];
});

describe('a replay at the start', () => {
  it('tells how far it is, once a second however often it is asked', () => {
    const { onProgress } = teller();
    for (now = 0; now <= 2_500; now += 100) onProgress(now * 10, 50_000);
    expect(lines).toEqual([
      { position: 10_000, head: 50_000, percent: 20, message: 'replaying the log' },
      { position: 20_000, head: 50_000, percent: 40, message: 'replaying the log' },
    ]);
  });

  it('tells in the end how much it was and how long it took', () => {
    const { onCaughtUp } = teller();
    now = 2_000;
    onCaughtUp(400_000);
    expect(lines).toEqual([
      { events: 400_000, ms: 2_000, perSecond: 200_000, message: 'log replayed' },
    ]);
  });

  it('says nothing when there was next to nothing to replay', () => {
    const { onCaughtUp } = teller();
    onCaughtUp(12);
    expect(lines).toEqual([]);
  });
});
