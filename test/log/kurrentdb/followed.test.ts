/** The event store as the desk has it: asked for little, away now and then. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openFollowed, type FollowedStore } from '../../../src/log/kurrentdb/followed.ts';
import { openLogAt, openStandIn } from '../../support/kurrent/open.ts';
import { until } from '../../support/until.ts';

let store: Awaited<ReturnType<typeof openStandIn>>;
let followed: FollowedStore;
beforeEach(async () => {
  store = await openStandIn();
  const { connection } = openLogAt(store.server.url());
  followed = openFollowed({ connection, now: () => 42 });
});
afterEach(async () => {
  await followed.close();
  await store.close();
});

const write = async (stream: string, count = 1): Promise<void> => {
  for (let revision = 0; revision < count; revision += 1) {
    await store.log.append(stream, revision - 1, [{ type: 'X', v: 1, at: revision, data: {} }]);
  }
};
const caughtUp = async (): Promise<void> => {
  const head = await store.log.head();
  await until(() => followed.version() === head, 'the young events');
};
const reads = (): number => store.server.calls.filter((call) => call === 'read').length;

describe('an event store that is followed', () => {
  it('is asked nothing for what is young, however often one asks', async () => {
    await write('door-1');
    await until(() => followed.outage() === undefined, 'a subscription');
    await caughtUp();
    const from = await followed.head();
    await write('door-2', 3);
    await caughtUp();
    const before = reads();
    for (let times = 0; times < 50; times += 1) {
      expect(await followed.head()).toBeGreaterThan(from);
      expect(await followed.readAll({ after: from, limit: 10 })).toHaveLength(3);
      const [last] = await followed.readAll({ direction: 'backwards', limit: 1 });
      expect(last).toMatchObject({ stream: 'door-2', revision: 2 });
    }
    expect(reads()).toBe(before);
    expect(await followed.readAll({ limit: 10 })).toHaveLength(4);
  });

  it('answers from memory while it is away, says so, and is heard again by itself', async () => {
    await write('door-1');
    await until(() => followed.outage() === undefined, 'a subscription');
    await caughtUp();
    const from = await followed.head();
    await write('door-2', 2);
    await caughtUp();
    await store.server.stop();
    await until(() => followed.outage() !== undefined, 'the outage');
    expect(followed.outage()).toMatchObject({ since: 42 });
    expect(await followed.readAll({ after: from, limit: 10 })).toHaveLength(2);
    await expect(followed.readStream('door-1')).rejects.toMatchObject({ code: 'log-unavailable' });
    const waiting = followed.patient.readStream('door-1');
    await store.server.start();
    await until(() => followed.outage() === undefined, 'the end of the outage');
    expect(await waiting).toHaveLength(1);
    await write('door-3');
    await caughtUp();
  });

  it('names the streams of a category', async () => {
    await write('node-a-1', 2);
    await write('door-1');
    await write('node-b-1');
    expect([...(await followed.streamsAfter('node', 0))]).toEqual(['node-a-1', 'node-b-1']);
    const [, second] = await store.log.readStream('node-a-1');
    expect([...(await followed.streamsAfter('node', second!.position))]).toEqual(['node-b-1']);
  });
});
