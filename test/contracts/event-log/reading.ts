import { describe, expect, it } from '@jest/globals';
import { noStream, type Position, type RecordedEvent } from '../../../src/log/ports.ts';
import { newStream, noted, notedMany, notes } from '../../support/log-events.ts';
import type { Desk } from '../event-log.ts';

export function reading(desk: Desk): void {
  const increasing = (events: readonly RecordedEvent[]) =>
    events.every(({ position }, n) => n === 0 || position > events[n - 1]!.position);

  describe('a stream read', () => {
    it.each([
      ['from its start', {}, [0, 1, 2, 3, 4]],
      ['from a revision', { from: 2 }, [2, 3, 4]],
      ['from a revision not reached yet', { from: 5 }, []],
      ['in part', { limit: 2 }, [0, 1]],
      ['in part from a revision', { from: 3, limit: 1 }, [3]],
      ['with room to spare', { limit: 100 }, [0, 1, 2, 3, 4]],
      ['without bound', { limit: Infinity }, [0, 1, 2, 3, 4]],
      ['backwards', { direction: 'backwards' }, [4, 3, 2, 1, 0]],
      ['backwards from a revision', { direction: 'backwards', from: 2 }, [2, 1, 0]],
      ['backwards from the first', { direction: 'backwards', from: 0 }, [0]],
      ['backwards from beyond its end', { direction: 'backwards', from: 99 }, [4, 3, 2, 1, 0]],
      ['backwards for its last event', { direction: 'backwards', limit: 1 }, [4]],
    ] as const)('%s gives those events', async (_, options, expected) => {
      const stream = newStream();
      await desk.log.append(newStream(), noStream, [noted('another letter')]);
      await desk.log.append(stream, noStream, notedMany(3));
      await desk.log.append(newStream(), noStream, [noted('another letter')]);
      await desk.log.append(stream, 2, notedMany(2, 3));
      const read = await desk.log.readStream(stream, options);
      expect(notes(read)).toEqual(expected);
      expect(read.map(({ revision }) => revision)).toEqual(expected);
    });

    it('is empty when it does not exist', async () => {
      expect(await desk.log.readStream(newStream())).toEqual([]);
      expect(await desk.log.readStream(newStream(), { direction: 'backwards' })).toEqual([]);
    });

    it.each(['node-a', 'door-smtp', 'message-not-a-letter', 'message-', 'xyzzy'])(
      'called %s is told apart from others',
      async (name) => {
        const unique = `${name}${newStream().slice(-12)}`;
        await desk.log.append(unique, noStream, [noted('mine')]);
        await desk.log.append(`${unique}0`, noStream, [noted('other')]);
        const [event, ...more] = await desk.log.readStream(unique);
        expect(event).toMatchObject({ stream: unique, revision: 0, data: { n: 'mine' } });
        expect(more).toEqual([]);
      },
    );
  });

  describe('the whole log', () => {
    /** Events 0…n-1 over a few streams, one append each, each waited for. */
    const write = async (count: number): Promise<Position[]> => {
      const streams = Array.from({ length: 3 }, newStream);
      const positions: Position[] = [];
      for (let n = 0; n < count; n += 1) {
        const revision = Math.floor(n / 3) - 1;
        positions.push((await desk.log.append(streams[n % 3]!, revision, [noted(n)])).position);
      }
      return positions;
    };

    it('is in the order of its commits, with positions that rise', async () => {
      const positions = await write(12);
      const read = await desk.log.readAll({ after: desk.start, limit: 100 });
      expect(notes(read)).toEqual(Array.from({ length: 12 }, (_, n) => n));
      expect(read.map(({ position }) => position)).toEqual(positions);
      expect(increasing(read)).toBe(true);
      expect(await desk.log.head()).toBe(positions.at(-1));
    });

    it('keeps the events of each append together and in order', async () => {
      const streams = Array.from({ length: 30 }, newStream);
      await Promise.all(streams.map((stream) => desk.log.append(stream, noStream, notedMany(4))));
      const read = await desk.log.readAll({ after: desk.start, limit: 1_000 });
      expect(read).toHaveLength(120);
      expect(increasing(read)).toBe(true);
      for (let n = 0; n < 120; n += 4) {
        const append = read.slice(n, n + 4);
        expect(new Set(append.map(({ stream }) => stream)).size).toBe(1);
        expect(notes(append)).toEqual([0, 1, 2, 3]);
      }
    });

    it('is read in pages that meet without gap or overlap', async () => {
      await write(10);
      for (const limit of [1, 3, 5, 10, 11]) {
        const read: RecordedEvent[] = [];
        let after = desk.start;
        for (;;) {
          const page = await desk.log.readAll({ after, limit });
          expect(page.length).toBeLessThanOrEqual(limit);
          read.push(...page);
          if (page.length < limit) break;
          after = page.at(-1)!.position;
        }
        expect(notes(read)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      }
    });

    it('is read backwards in the same pages', async () => {
      const positions = await write(7);
      const last = await desk.log.readAll({ direction: 'backwards', limit: 3 });
      expect(notes(last)).toEqual([6, 5, 4]);
      const before = await desk.log.readAll({
        direction: 'backwards',
        after: last.at(-1)!.position,
        limit: 3,
      });
      expect(notes(before)).toEqual([3, 2, 1]);
      const first = await desk.log.readAll({
        direction: 'backwards',
        after: positions[1]!,
        limit: 1,
      });
      expect(notes(first)).toEqual([0]);
    });

    it('ends at its ends', async () => {
      await write(2);
      const head = await desk.log.head();
      expect(await desk.log.readAll({ after: head, limit: 10 })).toEqual([]);
      expect(await desk.log.readAll({ after: head + 1_000_000, limit: 10 })).toEqual([]);
      expect(await desk.log.readAll({ direction: 'backwards', after: 0, limit: 10 })).toEqual([]);
      expect(await desk.log.readAll({ direction: 'backwards', after: 1, limit: 10 })).toEqual([]);
      expect(await desk.log.readAll({ after: desk.start, limit: 0 })).toEqual([]);
    });

    it('says the same through every door', async () => {
      const stream = newStream();
      await desk.log.append(stream, noStream, notedMany(5));
      const read = await desk.log.readStream(stream);
      expect(await desk.log.readAll({ after: desk.start, limit: 100 })).toEqual(read);
      const backwards = await desk.log.readAll({ direction: 'backwards', limit: 5 });
      expect([...backwards].reverse()).toEqual(read);
    });

    it('has no damage when none was done', async () => {
      await write(2);
      expect(desk.log.damages()).toEqual([]);
    });
  });
}
