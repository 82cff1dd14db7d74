import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { noStream } from '../../../src/log/ports.ts';
import type { StagedBody } from '../../../src/spool/ports.ts';
import { chunkBytes } from '../../../src/spool/kurrentdb/chunk-shape.ts';
import { sweepBodies } from '../../../src/spool/kurrentdb/sweep.ts';
import { spoolContract } from '../../contracts/spool.ts';
import {
  impatient,
  openLogAt,
  openStandIn,
  realPatience,
  realServer,
  realTimeLimit,
} from '../../support/kurrent/open.ts';
import { newId, noted, notedAll } from '../../support/log-events.ts';

type Open = Awaited<ReturnType<typeof openStandIn>>;
let open: Open;
const commit = async (staged: StagedBody): Promise<void> => {
  await open.log.append(`message-${staged.ref.id}`, noStream, notedAll('accepted'), staged);
};
const opened = async (): Promise<void> => {
  open = await openStandIn({}, impatient);
};

spoolContract('the spool in KurrentDB (stand-in)', async () => {
  await opened();
  return {
    spool: open.spool,
    commit,
    damage: async ({ id }) => open.server.store.damage(`body-${id}`),
    close: open.close,
  };
});

if (realServer === undefined) {
  describe('the spool in a real KurrentDB', () => {
    it.skip('WAYBILL_KURRENT_URL names no server: not tried', () => undefined);
  });
} else {
  spoolContract(
    'the spool in a real KurrentDB',
    async () => {
      const { log, spool } = openLogAt(realServer!, realPatience);
      return {
        spool,
        commit: async (staged) => {
          await log.append(`message-${staged.ref.id}`, noStream, notedAll('accepted'), staged);
        },
        close: () => log.close(),
      };
    },
    { isOutOfReach: true, timeLimitMs: realTimeLimit },
  );
}

describe('bodies in KurrentDB', () => {
  beforeEach(opened);
  afterEach(() => open.close());

  const pattern = (bytes: number, seed = 0) => {
    const body = Buffer.alloc(bytes);
    for (let at = 0; at < bytes; at += 1) body[at] = (at * 31 + (at >> 8) + seed) & 0xff;
    return body;
  };
  const chunksOf = (id: string) => open.server.store.stream(`body-${id}`)?.events ?? [];
  const writeAll = async (id: string, bytes: Uint8Array, step = 250_000) => {
    const writer = await open.spool.open(id);
    for (let at = 0; at < bytes.byteLength; at += step) {
      await writer.write(bytes.subarray(at, at + step));
    }
    return writer.stage();
  };

  it('lie in pieces of 768 KiB, the last one with the digest, and are read in any parts', async () => {
    const id = newId();
    const body = pattern(3 * chunkBytes + 5);
    const staged = await writeAll(id, body);
    expect(chunksOf(id).map(({ data }) => data.byteLength)).toEqual([
      chunkBytes,
      chunkBytes,
      chunkBytes,
      5,
    ]);
    expect(Buffer.compare(await open.spool.read(staged.ref), body)).toBe(0);
    for (const at of [0, chunkBytes - 3, 2 * chunkBytes, 3 * chunkBytes + 1]) {
      const part = await open.spool.read(staged.ref, at, 10);
      expect(Buffer.compare(part, body.subarray(at, at + 10))).toBe(0);
    }
  });

  it('are durable before the event that names them', async () => {
    const staged = await open.spool.stage(newId(), pattern(100));
    await commit(staged);
    const [body] = chunksOf(staged.ref.id);
    const [event] = await open.log.readStream(`message-${staged.ref.id}`);
    expect(body!.position).toBeLessThan(event!.position);
  });

  it('are written once though the append is asked for again', async () => {
    const staged = await open.spool.stage(newId(), pattern(100));
    await commit(staged);
    await commit(staged);
    expect(chunksOf(staged.ref.id)).toHaveLength(1);
  });

  it('are whole though an answer is lost, or a piece is dropped without a word', async () => {
    const id = newId();
    open.server.faults.loseAnswers = 1;
    open.server.faults.dropAppends = 1;
    const staged = await writeAll(id, pattern(2 * chunkBytes));
    expect(chunksOf(id)).toHaveLength(2);
    expect((await open.spool.read(staged.ref)).byteLength).toBe(2 * chunkBytes);
  });

  it('are found again when the same letter is made twice at once, with other bytes', async () => {
    const id = newId();
    const [first, second] = [pattern(2 * chunkBytes, 1), pattern(2 * chunkBytes, 2)];
    const staged = await Promise.all([writeAll(id, first), writeAll(id, second)]);
    expect(chunksOf(id)).toHaveLength(4);
    expect(Buffer.compare(await open.spool.read(staged[0].ref), first)).toBe(0);
    expect(Buffer.compare(await open.spool.read(staged[1].ref), second)).toBe(0);
  });

  it('may be removed and made again with the same bytes: nobody mistakes that for a repetition', async () => {
    const id = newId();
    for (const _ of [1, 2, 3]) {
      const { ref } = await writeAll(id, pattern(1_000));
      expect((await open.spool.read(ref)).byteLength).toBe(1_000);
      await open.spool.remove([id]);
      await expect(open.spool.read(ref)).rejects.toMatchObject({ code: 'body-missing' });
    }
    const staged = await open.spool.stage(id, pattern(1_000));
    await commit(staged);
    expect((await open.spool.read(staged.ref)).byteLength).toBe(1_000);
  });

  it('leave nothing when they are abandoned half-way', async () => {
    const writer = await open.spool.open(newId());
    await writer.write(pattern(2 * chunkBytes));
    await writer.abandon();
    expect(open.server.store.stream(`body-${writer.id}`)?.isDeleted).toBe(true);
  });

  it('are not taken for the whole when a piece in the middle has changed', async () => {
    const id = newId();
    const { ref } = await writeAll(id, pattern(3 * chunkBytes));
    open.server.store.damage(`body-${id}`, 1);
    await expect(open.spool.read(ref)).rejects.toMatchObject({ code: 'body-damaged' });
  });

  it('are not seen by those who read the log', async () => {
    await commit(await open.spool.stage(newId(), pattern(100)));
    const all = await open.log.readAll({ limit: 10 });
    expect(all.map(({ stream }) => stream.split('-')[0])).toEqual(['message']);
  });

  it('go when no letter came of them, or their letter is done, after a day', async () => {
    const kept = await open.spool.stage(newId(), pattern(10));
    await commit(kept);
    const orphan = await writeAll(newId(), pattern(10));
    const done = await open.spool.stage(newId(), pattern(10));
    await commit(done);
    const cleanedUp = { ...noted('end'), type: 'MessageCleanedUp' };
    await open.log.append(`message-${done.ref.id}`, 0, [cleanedUp]);
    const waiting = await writeAll(newId(), pattern(10));
    const parts = {
      ...{ connection: open.connection, log: open.log, spool: open.spool, from: 0 },
      isNeeded: (id: string) => id === waiting.ref.id,
    };
    const none = { removed: 0, upTo: 0 };
    expect(await sweepBodies({ ...parts, now: Date.now() })).toEqual(none);
    const tomorrow = Date.now() + 90_000_000;
    // Our clock is a day ahead: by the event store's own these bodies have just come.
    expect(await sweepBodies({ ...parts, now: tomorrow })).toEqual(none);
    open.server.store.clock = () => tomorrow;
    await open.log.append('node-1', noStream, notedAll('it is tomorrow'));
    await open.spool.remove([done.ref.id]);
    const before = open.server.store.length;
    const swept = await sweepBodies({ ...parts, now: tomorrow });
    // What has been removed is not removed again: only the orphan is.
    expect(swept.removed).toBe(1);
    expect(open.server.store.length).toBe(before + 1);
    for (const { ref } of [kept, waiting]) {
      expect((await open.spool.read(ref)).byteLength).toBe(10);
    }
    for (const { ref } of [orphan, done]) {
      await expect(open.spool.read(ref)).rejects.toMatchObject({ code: 'body-missing' });
    }
    const again = await sweepBodies({ ...parts, now: tomorrow, from: swept.upTo });
    expect(again).toEqual({ removed: 0, upTo: swept.upTo });
    const elsewhere = await sweepBodies({ ...parts, now: tomorrow, from: swept.upTo - 7 });
    expect(elsewhere).toEqual({ removed: 0, upTo: swept.upTo });
  });
});
