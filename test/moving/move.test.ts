import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { move } from '../../src/moving/move.ts';
import type { Room } from './sides.ts';
import {
  bytesOf,
  eventsOf,
  inDirectory,
  lay,
  memoryRoom,
  moveBetween,
  onServer,
  openBodies,
  plans,
  someLetters,
} from './sides.ts';
import { StandIn } from '../support/kurrent/stand-in.ts';
import { tempDir, type TempDir } from '../support/temp-dir.ts';

const dirs: TempDir[] = [];
const servers: StandIn[] = [];
const directory = (): string => {
  dirs.push(tempDir());
  return dirs.at(-1)!.path;
};
const server = async (version?: string): Promise<StandIn> => {
  servers.push(await new StandIn(version === undefined ? {} : { version }).start());
  return servers.at(-1)!;
};
afterEach(async () => {
  for (const each of servers.splice(0)) await each.stop();
  for (const each of dirs.splice(0)) each.remove();
});

/** Event by event, in order, and body by body. */
async function expectSame(there: Room, source: Room): Promise<void> {
  expect(await eventsOf(there)).toEqual(await eventsOf(source));
  for (const ref of openBodies(await source.held.readAll({ limit: 100_000 }))) {
    expect((await bytesOf(there, ref)).equals(await bytesOf(source, ref))).toBe(true);
  }
}

describe('a log that is moved', () => {
  it('is the same at the other place and back again, whatever happened in it', async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        const source = await lay(plan);
        const there = inDirectory(directory());
        const first = await moveBetween(() => [source, there.target()]);
        expect(first).toMatchObject({ end: 'complete', events: first.copied });
        const back = memoryRoom();
        const second = await moveBetween(() => [there.source(), back]);
        expect(second.digest).toBe(first.digest);
        await expectSame(back, source);
        // Nothing else came along: bodies of letters that are done stay behind.
        expect(back.held.bodies.size).toBe(
          openBodies(await source.held.readAll({ limit: 100_000 })).length,
        );
      }),
      { numRuns: 10 },
    );
  });

  it.each([undefined, '25.1.0', '24.10.0'])(
    'is the same in an event store (release %s), and in the next one',
    async (version) => {
      await fc.assert(
        fc.asyncProperty(plans, async (plan) => {
          const source = await lay(plan);
          const [one, two] = [onServer(await server(version)), onServer(await server())];
          const first = await moveBetween(async () => [source, await one.target()]);
          const second = await moveBetween(async () => [await one.source(), await two.target()]);
          const back = memoryRoom();
          const third = await moveBetween(async () => [await two.source(), back]);
          expect([second.digest, third.digest]).toEqual([first.digest, first.digest]);
          await expectSame(back, source);
        }),
        { numRuns: 2 },
      );
    },
  );

  it('keeps its order where an event store takes the second append before the first', async () => {
    const source = memoryRoom();
    await someLetters(source, 12);
    for (const version of ['24.10.0', '25.1.0', '26.1.0']) {
      const store = await server(version);
      store.faults.overtakeCold = 1;
      store.faults.loseAnswers = 1;
      store.faults.notReady = 2;
      const there = onServer(store);
      await moveBetween(async () => [source, await there.target()]);
      const back = memoryRoom();
      await moveBetween(async () => [await there.source(), back]);
      await expectSame(back, source);
    }
  });

  it('is followed from where the move was when it was cut off, at any event and body', async () => {
    const source = memoryRoom();
    await someLetters(source, 5);
    await source.held.append('node-here-1', -1, [{ type: 'Told', v: 1, at: 1, data: {} }]);
    const events = await source.held.head();
    for (let cut = 0; cut <= events + 6; cut += 1) {
      const there = memoryRoom();
      let left = cut;
      const dying = {
        ...there,
        async place(...asked: Parameters<Room['place']>) {
          if ((left -= 1) < 0) throw new Error('killed');
          return there.place(...asked);
        },
        async append(runs: Parameters<Room['append']>[0]) {
          for (const { stream, expected, events: some } of runs) {
            if ((left -= 1) < 0) throw new Error('killed');
            await there.held.append(stream, expected, some);
          }
        },
      };
      const died = await move(source, dying, {}).then(
        () => false,
        () => true,
      );
      const { end, copied } = await move(source, there, {});
      expect(end).toBe('complete');
      if (!died) expect(copied).toBe(0);
      await expectSame(there, source);
    }
  });

  it('is complete when what came since the last time has followed, and bodies of letters done since are gone', async () => {
    const source = memoryRoom();
    const there = inDirectory(directory());
    const ids = await someLetters(source, 6);
    const first = await moveBetween(() => [
      { ...source, writer: async () => 'an engine runs on it' },
      there.target(),
    ]);
    expect(first).toMatchObject({ end: 'running', writer: 'an engine runs on it', copied: 21 });
    const stream = `message-${ids[0]!}`;
    const done = { type: 'MessageCleanedUp', v: 1, at: 1, data: { body: ids[0]! } };
    await source.append([{ stream, expected: 1, events: [done] }]);
    await source.remove([ids[0]!]);
    await someLetters(source, 4, 6);
    const second = await moveBetween(() => [source, there.target()]);
    expect(second).toMatchObject({ end: 'complete', copied: 15, bodies: { copied: 2 } });
    const opened = there.source();
    const [ref] = openBodies(await source.held.readAll({ limit: 2 }));
    await expect(bytesOf(opened, ref!)).rejects.toMatchObject({ code: 'body-missing' });
    await opened.close();
  });

  it('is only looked at when that is all that was asked', async () => {
    const [source, there] = [memoryRoom(), memoryRoom()];
    await someLetters(source, 3);
    const looking = move(source, there, { verifyOnly: true });
    await expect(looking).rejects.toThrow('is not complete: it holds 0 events');
    await move(source, there, {});
    const again = await move(source, there, { verifyOnly: true });
    expect(again).toMatchObject({ end: 'complete', events: 9, copied: 0, bodies: { checked: 2 } });
  });

  it('ends when it is told to, and goes on', async () => {
    const [source, there] = [memoryRoom(), memoryRoom()];
    await someLetters(source, 40);
    const told = new AbortController();
    const onProgress = ({ phase }: { phase: string }) => {
      if (phase === 'comparing' || phase === 'copying') told.abort(new Error('enough'));
    };
    const parts = { signal: told.signal, onProgress };
    await move(source, there, {});
    await someLetters(source, 3, 40);
    await expect(move(source, there, parts)).rejects.toThrow('enough');
    await move(source, there, {});
    await expectSame(there, source);
  });
});

describe('leases, of which the youngest events are kept', () => {
  const beat = (count: number) => ({
    type: 'LeaseBeat',
    v: 1,
    at: count,
    data: { count, open: 0 },
  });
  /** As a log is read from which the first beats are gone. */
  const without = (room: Room, gone: number): Room => ({
    ...room,
    log: {
      ...room.log,
      readTexts: async (wanted) =>
        (await room.log.readTexts(wanted)).filter(
          ({ stream, revision }) => !stream.startsWith('lease-') || revision >= gone,
        ),
    },
  });
  const lay = async (): Promise<Room> => {
    const source = memoryRoom();
    for (let n = 0; n < 9; n += 1) {
      await source.held.append('lease-a', n - 1, [beat(n)]);
      await someLetters(source, 1, n);
    }
    return source;
  };

  it('are counted anew where old ones are gone, and end as they did', async () => {
    const [source, there] = [without(await lay(), 4), inDirectory(directory())];
    await moveBetween(() => [source, there.target()]);
    const opened = there.source();
    const events = await opened.log.readStream('lease-a');
    expect(
      events.map(({ revision, data }) => [revision, (data as { count: number }).count]),
    ).toEqual([4, 5, 6, 7, 8].map((count, revision) => [revision, count]));
    await opened.close();
  });

  it('may go on both sides between two moves', async () => {
    const source = await lay();
    const there = memoryRoom();
    await move(source, there, {});
    await someLetters(source, 2, 9);
    await source.held.append('lease-a', 8, [beat(9)]);
    const again = await move(without(source, 6), without(there, 3), {});
    expect(again).toMatchObject({ end: 'complete', copied: 8 });
    const ends = await there.held.readStream('lease-a', { direction: 'backwards', limit: 1 });
    expect(ends[0]).toMatchObject({ revision: 9, data: { count: 9 } });
    await move(without(source, 8), there, { verifyOnly: true });
  });

  it('are missed when their end is not there', async () => {
    const [source, there] = [await lay(), memoryRoom()];
    await move(source, there, {});
    await source.held.append('lease-a', 8, [beat(9)]);
    const looking = move(source, there, { verifyOnly: true });
    await expect(looking).rejects.toMatchObject({ code: 'refused' });
  });
});
