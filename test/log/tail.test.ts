import { describe, expect, it } from '@jest/globals';
import type { RecordedEvent } from '../../src/log/ports.ts';
import { Tail } from '../../src/log/tail.ts';
import { noted } from '../support/log-events.ts';

const events = (from: number, count: number): RecordedEvent[] =>
  Array.from({ length: count }, (_, n) => ({
    ...noted(from + n),
    stream: 'node-here',
    revision: from + n - 1,
    position: from + n,
  }));
const positions = (page: readonly RecordedEvent[] | undefined) =>
  page?.map(({ position }) => position);

describe('the tail of the log', () => {
  it('begins at the head, and has nothing older', () => {
    const tail = new Tail(100);
    expect(tail.head).toBe(100);
    expect(tail.page(100, 10)).toEqual([]);
    expect(tail.page(99, 10)).toBeUndefined();
  });

  it('gives pages of what was published', () => {
    const tail = new Tail(100);
    tail.publish(events(101, 5));
    expect(tail.head).toBe(105);
    expect(positions(tail.page(100, 3))).toEqual([101, 102, 103]);
    expect(positions(tail.page(103, 3))).toEqual([104, 105]);
    expect(tail.page(105, 3)).toEqual([]);
    expect(tail.page(1_000, 3)).toEqual([]);
    expect(tail.page(99, 3)).toBeUndefined();
  });

  it('says how far it has moved, and nothing for nothing', () => {
    const tail = new Tail(0);
    const heads: number[] = [];
    let ended = false;
    tail.moved$.subscribe({ next: (head) => heads.push(head), complete: () => (ended = true) });
    tail.publish(events(1, 2));
    tail.publish([]);
    tail.publish(events(3, 1));
    tail.close();
    expect(heads).toEqual([2, 3]);
    expect(ended).toBe(true);
  });

  it('forgets the old when there are many', () => {
    const tail = new Tail(0);
    for (let from = 1; from <= 50_001; from += 1_000) tail.publish(events(from, 1_000));
    expect(tail.head).toBe(51_000);
    expect(tail.page(0, 1)).toBeUndefined();
    expect(tail.page(30_000, 1)).toBeUndefined();
    expect(positions(tail.page(50_000, 20_000))).toHaveLength(1_000);
  });

  it('forgets the old when it is heavy', () => {
    const tail = new Tail(0);
    for (let position = 1; position <= 200; position += 1) {
      tail.publish(events(position, 1), [1_000_000]);
    }
    expect(tail.page(130, 1)).toBeUndefined();
    expect(positions(tail.page(180, 100))).toHaveLength(20);
  });

  it('forgets even a single event that is heavier than all it may keep, and goes on', () => {
    const tail = new Tail(0);
    tail.publish(events(1, 1), [100_000_000]);
    expect(tail.page(0, 1)).toBeUndefined();
    expect(tail.page(1, 1)).toEqual([]);
    expect(tail.head).toBe(1);
    tail.publish(events(2, 1), [10]);
    expect(positions(tail.page(1, 5))).toEqual([2]);
  });
});
