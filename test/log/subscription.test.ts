import { describe, expect, it } from '@jest/globals';
import { Subject } from 'rxjs';
import type { ReadAll, RecordedEvent } from '../../src/log/ports.ts';
import { subscribeTo } from '../../src/log/subscription.ts';
import { noted, notes } from '../support/log-events.ts';
import { Listener, settle } from '../support/signals.ts';

const events = (from: number, count: number): RecordedEvent[] =>
  Array.from({ length: count }, (_, n) => ({
    ...noted(from + n),
    stream: 'node-here',
    revision: from + n - 1,
    position: from + n,
  }));

/** A log whose pages come only when the test says so. */
class SlowLog {
  readonly moved$ = new Subject<number>();
  readonly asked: number[] = [];
  #all: RecordedEvent[] = [];
  #waiting: (() => void)[] = [];

  write(count: number): void {
    this.#all.push(...events(this.#all.length + 1, count));
    this.moved$.next(this.#all.length);
  }

  readAll({ after = 0, limit }: ReadAll): Promise<readonly RecordedEvent[]> {
    this.asked.push(after);
    const page = this.#all.slice(after, after + limit);
    return new Promise((resolve) => this.#waiting.push(() => resolve(page)));
  }

  async answer(): Promise<void> {
    await settle(2);
    this.#waiting.shift()?.();
    await settle(2);
  }

  get isAsked(): boolean {
    return this.#waiting.length > 0;
  }
}

describe('a subscription', () => {
  it('loses nothing that is written while a page is on its way', async () => {
    const log = new SlowLog();
    const listener = new Listener(subscribeTo(log, log.moved$, 0));
    log.write(2);
    await log.answer();
    expect(listener.heard).toEqual([{ kind: 'caught-up', position: 0 }]);
    expect(log.isAsked).toBe(true);
    log.write(3);
    await log.answer();
    expect(notes(listener.events)).toEqual([1, 2]);
    await log.answer();
    expect(notes(listener.events)).toEqual([1, 2, 3, 4, 5]);
    expect(listener.caughtUp).toBe(1);
    expect(log.isAsked).toBe(false);
    listener.stop();
  });

  it('asks nothing while nothing moves', async () => {
    const log = new SlowLog();
    const listener = new Listener(subscribeTo(log, log.moved$, 0));
    await log.answer();
    await settle();
    expect(log.asked).toEqual([0]);
    log.write(1);
    await log.answer();
    expect(log.asked).toEqual([0, 0]);
    expect(notes(listener.events)).toEqual([1]);
    listener.stop();
  });

  it('says again that it has caught up after it has fallen a page behind', async () => {
    const log = new SlowLog();
    const listener = new Listener(subscribeTo(log, log.moved$, 0));
    await log.answer();
    log.write(1_500);
    await log.answer();
    await log.answer();
    expect(listener.events).toHaveLength(1_500);
    expect(listener.heard.map(({ kind }) => kind).indexOf('caught-up')).toBe(0);
    expect(listener.heard.at(-1)).toEqual({ kind: 'caught-up', position: 1_500 });
    expect(listener.caughtUp).toBe(2);
    listener.stop();
  });

  it('lets the loop turn between two pages of a long catch-up', async () => {
    let turns = 0;
    const readAll = async ({ after = 0, limit }: ReadAll) =>
      events(after + 1, Math.min(limit, 5_000 - after));
    const listener = new Listener(subscribeTo({ readAll }, new Subject(), 0));
    const turn = () => {
      turns += 1;
      if (listener.caughtUp === 0) setImmediate(turn);
    };
    setImmediate(turn);
    await listener.until(({ caughtUp }) => caughtUp > 0);
    expect(turns).toBeGreaterThanOrEqual(4);
    listener.stop();
  });

  it('delivers what was written before the log ends, and then ends', async () => {
    const log = new SlowLog();
    const listener = new Listener(subscribeTo(log, log.moved$, 0));
    await log.answer();
    log.write(2);
    log.moved$.complete();
    expect(listener.ended).toBeUndefined();
    await log.answer();
    expect(notes(listener.events)).toEqual([1, 2]);
    expect(listener.ended).toBe('completed');
  });

  it('ends with the trouble that reading meets', async () => {
    const trouble = new Error('cannot read');
    const readAll = () => Promise.reject(trouble);
    const listener = new Listener(subscribeTo({ readAll }, new Subject(), 0));
    await listener.untilEnded();
    expect(listener.ended).toEqual({ error: trouble });
  });

  it('reads no more once nobody listens', async () => {
    const log = new SlowLog();
    const listener = new Listener(subscribeTo(log, log.moved$, 0));
    await log.answer();
    listener.stop();
    log.write(5);
    await settle();
    expect(log.asked).toEqual([0]);
    expect(log.moved$.observed).toBe(false);
  });
});
