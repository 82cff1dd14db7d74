import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { noStream, type EventLog, type Position } from '../../../src/log/ports.ts';
import { newStream, noted, notedMany, notes } from '../../support/log-events.ts';
import { Listener, settle } from '../../support/signals.ts';
import type { Abilities, Desk, OpenALog } from '../event-log.ts';

const upTo = (count: number, from = 0) => Array.from({ length: count }, (_, n) => from + n);

export function subscribing(
  desk: Desk,
  openLog: OpenALog,
  { isFar, timeLimitMs = 240_000 }: Abilities,
): void {
  describe('a subscriber', () => {
    it('hears what is there, that it has caught up, and then what comes', async () => {
      const stream = newStream();
      await desk.log.append(stream, noStream, notedMany(3));
      const listener = new Listener(desk.log.subscribe(desk.start));
      await listener.until(({ caughtUp }) => caughtUp > 0);
      await desk.log.append(stream, 2, notedMany(2, 3));
      await listener.untilEvents(5);
      await settle();
      expect(notes(listener.events)).toEqual(upTo(5));
      expect(listener.heard.map(({ kind }) => kind)).toEqual([
        'event',
        'event',
        'event',
        'caught-up',
        'event',
        'event',
      ]);
      expect(listener.heard[3]).toEqual({
        kind: 'caught-up',
        position: listener.events[2]!.position,
      });
      listener.stop();
    });

    it('hears the same events that a reader reads', async () => {
      const stream = newStream();
      await desk.log.append(stream, noStream, notedMany(2));
      const listener = new Listener(desk.log.subscribe(desk.start));
      await listener.untilEvents(2);
      await desk.log.append(stream, 1, [noted(2, { text: 'Grüße 😀' })]);
      await listener.untilEvents(3);
      expect(listener.events).toEqual(await desk.log.readStream(stream));
      listener.stop();
    });

    it('starts after the position it names', async () => {
      const stream = newStream();
      await desk.log.append(stream, noStream, notedMany(5));
      const read = await desk.log.readStream(stream);
      const listener = new Listener(desk.log.subscribe(read[2]!.position));
      await listener.until(({ caughtUp }) => caughtUp > 0);
      expect(notes(listener.events)).toEqual([3, 4]);
      listener.stop();
    });

    it('has caught up at once where there is nothing to catch up with', async () => {
      const listener = new Listener(desk.log.subscribe(desk.start));
      await listener.until(({ caughtUp }) => caughtUp > 0);
      expect(listener.heard).toEqual([{ kind: 'caught-up', position: desk.start }]);
      await settle();
      expect(listener.heard).toHaveLength(1);
      listener.stop();
    });

    it.each([999, 1_000, 1_001, 2_500])('catches up with %i events once', async (count) => {
      const stream = newStream();
      await desk.log.append(stream, noStream, notedMany(count));
      const listener = new Listener(desk.log.subscribe(desk.start));
      await listener.until(({ caughtUp }) => caughtUp > 0);
      expect(notes(listener.events)).toEqual(upTo(count));
      await desk.log.append(stream, count - 1, [noted(count)]);
      await listener.untilEvents(count + 1);
      await settle();
      expect(listener.caughtUp).toBe(1);
      expect(listener.heard.at(-1)?.kind).toBe('event');
      listener.stop();
    });

    it('that comes late hears the same as one that was there', async () => {
      const early = new Listener(desk.log.subscribe(desk.start));
      const stream = newStream();
      for (let n = 0; n < 20; n += 1) await desk.log.append(stream, n - 1, [noted(n)]);
      const late = new Listener(desk.log.subscribe(desk.start));
      await Promise.all([early.untilEvents(20), late.untilEvents(20)]);
      expect(late.events).toEqual(early.events);
      early.stop();
      late.stop();
    });

    it('that falls far behind loses nothing', async () => {
      const listener = new Listener(desk.log.subscribe(desk.start));
      await listener.until(({ caughtUp }) => caughtUp > 0);
      // More than anybody keeps in memory.
      const each = isFar === true ? 2_000 : 8_000;
      await Promise.all(
        upTo(4).map((n) => desk.log.append(newStream(), noStream, notedMany(each, each * n))),
      );
      await listener.untilEvents(4 * each);
      await settle();
      const heard = notes(listener.events) as number[];
      expect(heard).toHaveLength(4 * each);
      expect(heard.every((n, index) => index % each === 0 || n === heard[index - 1]! + 1)).toBe(
        true,
      );
      listener.stop();
    });

    it('hears nothing more once it has gone, not even of the page it was hearing', async () => {
      const stream = newStream();
      await desk.log.append(stream, noStream, notedMany(50));
      const listener: Listener = new Listener(desk.log.subscribe(desk.start), () => {
        if (listener.events.length === 10) listener.stop();
      });
      await listener.untilEvents(10);
      await desk.log.append(stream, 49, notedMany(5, 50));
      await settle();
      expect(notes(listener.events)).toEqual(upTo(10));
      expect(listener.caughtUp).toBe(0);
      expect(listener.ended).toBeUndefined();
    });

    it('does not hear through the ears of another', async () => {
      const stream = newStream();
      await desk.log.append(stream, noStream, notedMany(4));
      const [, , third] = await desk.log.readStream(stream);
      const all = new Listener(desk.log.subscribe(desk.start));
      const rest = new Listener(desk.log.subscribe(third!.position));
      const gone = new Listener(desk.log.subscribe(desk.start));
      gone.stop();
      await desk.log.append(stream, 3, notedMany(1, 4));
      await Promise.all([all.untilEvents(5), rest.untilEvents(2)]);
      await settle();
      expect(notes(all.events)).toEqual(upTo(5));
      expect(notes(rest.events)).toEqual([3, 4]);
      expect(gone.events).toEqual([]);
      all.stop();
      rest.stop();
    });

    it('comes to an end when the log is closed', async () => {
      await desk.log.append(newStream(), noStream, notedMany(3));
      const listener = new Listener(desk.log.subscribe(desk.start));
      await listener.until(({ caughtUp }) => caughtUp > 0);
      await desk.log.close();
      await listener.untilEnded();
      if (listener.ended !== 'completed') {
        expect(listener.ended?.error).toMatchObject({ code: 'log-unavailable' });
      }
    });

    it(
      'hears every event once and in order, whenever it comes and however fast they come',
      async () => {
        const plan = fc.record({
          before: fc.integer({ min: 0, max: 40 }),
          appends: fc.array(
            fc.record({
              stream: fc.nat(4),
              events: fc.integer({ min: 1, max: 700 }),
              wait: fc.nat(3),
            }),
            { minLength: 1, maxLength: 25 },
          ),
          subscribers: fc.array(
            fc.record({ when: fc.nat(25), from: fc.double({ min: 0, max: 1, noNaN: true }) }),
            {
              minLength: 1,
              maxLength: 4,
            },
          ),
        });
        await fc.assert(
          fc.asyncProperty(plan, async ({ before, appends, subscribers }) => {
            const open = await openLog();
            try {
              await interleave(open.log, before, appends, subscribers);
            } finally {
              await open.close();
            }
          }),
          { numRuns: isFar === true ? 4 : 25 },
        );
      },
      timeLimitMs,
    );
  });
}

/** Appends at full speed, with subscribers that join in between; each must hear what the log holds. */
async function interleave(
  log: EventLog,
  before: number,
  appends: readonly { stream: number; events: number; wait: number }[],
  subscribers: readonly { when: number; from: number }[],
): Promise<void> {
  const start = await log.head();
  const streams = upTo(5).map(newStream);
  const revisions = upTo(5).map(() => noStream);
  const write = (which: number, count: number) => {
    const expected = revisions[which]!;
    revisions[which] = expected + count;
    return log.append(streams[which]!, expected, notedMany(count, expected + 1));
  };
  if (before > 0) await write(0, before);
  const listeners: { readonly from: Position; readonly listener: Listener }[] = [];
  const join = async (when: number) => {
    for (const { from: share } of subscribers.filter((each) => each.when === when)) {
      const from = start + Math.floor(((await log.head()) - start) * share);
      listeners.push({ from, listener: new Listener(log.subscribe(from)) });
    }
  };
  const written: Promise<unknown>[] = [];
  for (const [when, { stream, events, wait }] of appends.entries()) {
    await join(when);
    written.push(write(stream, events));
    await settle(wait);
  }
  for (let when = appends.length; when <= 25; when += 1) await join(when);
  await Promise.all(written);
  const all = await log.readAll({ after: start, limit: 1_000_000 });
  for (const { from, listener } of listeners) {
    const due = all.filter(({ position }) => position > from);
    await listener.until(({ events, caughtUp }) => events.length >= due.length && caughtUp > 0);
    await settle(2);
    expect(listener.events.map(({ position }) => position)).toEqual(
      due.map(({ position }) => position),
    );
    expect(listener.events.at(-1)).toEqual(due.at(-1));
    listener.stop();
  }
}
