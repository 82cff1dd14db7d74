import { describe, expect, it } from '@jest/globals';
import { Remembered } from '../../src/queue/remembered.ts';

function heardBy(remembered: Remembered<number>): number[] {
  const heard: number[] = [];
  remembered.values$.subscribe((value) => heard.push(value));
  return heard;
}

describe('the last letters to end', () => {
  it('are told to whoever asks later, oldest first, and then those that follow', () => {
    const remembered = new Remembered<number>(10);
    remembered.next(1);
    remembered.next(2);
    const heard = heardBy(remembered);
    expect(heard).toEqual([1, 2]);
    remembered.next(3);
    expect(heard).toEqual([1, 2, 3]);
    expect(heardBy(remembered)).toEqual([1, 2, 3]);
  });

  it.each([3, 4, 5, 6, 11])('are no more than were to be kept, after %i of them', (count) => {
    const remembered = new Remembered<number>(3);
    for (let n = 1; n <= count; n += 1) remembered.next(n);
    expect(heardBy(remembered)).toEqual([count - 2, count - 1, count]);
  });

  it('are told no more to whoever has left', () => {
    const remembered = new Remembered<number>(3);
    const heard: number[] = [];
    const subscription = remembered.values$.subscribe((value) => heard.push(value));
    remembered.next(1);
    subscription.unsubscribe();
    remembered.next(2);
    expect(heard).toEqual([1]);
  });
});
