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

it('is said as often when the clock on the wall is set back or ahead', () => {
  const clock = new ManualClock();
  const said: unknown[] = [];
  const tell = nowAndThen(clock, (cause) => said.push(cause));
  tell('first');
  clock.set(clock.now() + 3_600_000);
  tell('kept back');
  clock.set(clock.now() - 7_200_000);
  clock.advance(60_000);
  tell('second');
  expect(said).toEqual(['first', 'second']);
});
