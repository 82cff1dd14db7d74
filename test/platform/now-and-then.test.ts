import { expect, it } from '@jest/globals';
import { ManualClock } from '../../src/platform/clock.ts';
import { nowAndThen } from '../../src/platform/now-and-then.ts';

it('what happens to every letter is said at once, then once a minute with its number', () => {
  const clock = new ManualClock();
  const said: unknown[] = [];
  const tell = nowAndThen(clock, (cause, kept) => said.push([cause, kept]));
  for (let letter = 0; letter < 181; letter += 1) {
    tell(letter);
    clock.advance(1_000);
  }
  expect(said).toEqual([
    [0, 0],
    [60, 59],
    [120, 59],
    [180, 59],
  ]);
});

it('is said again when the clock was set back, and not only when it has caught up', () => {
  let now = 7_200_000;
  const said: unknown[] = [];
  const tell = nowAndThen({ now: () => now }, (cause) => said.push(cause));
  tell('before');
  now -= 3_600_000;
  tell('after');
  tell('kept back');
  expect(said).toEqual(['before', 'after']);
});
