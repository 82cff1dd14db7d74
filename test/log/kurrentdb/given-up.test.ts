/** What a client leaves behind when it is given up. An outage of days must not fill the memory. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { KurrentDBClient } from '@kurrent/kurrentdb-client';
import { toAddress } from '../../../src/control/event-store-address.ts';
import { Connection } from '../../../src/log/kurrentdb/connection.ts';
import { NativeHalf } from '../../../src/log/kurrentdb/native-half.ts';
import { StandIn } from '../../support/kurrent/stand-in.ts';
import { until } from '../../support/until.ts';

describe('a connection to an event store', () => {
  let server: StandIn;
  let connection: Connection;
  beforeEach(async () => {
    server = await new StandIn().start();
    const address = toAddress({ url: server.url(), directory: '.' });
    connection = new Connection({ address, firstPauseMs: 1, longestPauseMs: 2 });
  });
  afterEach(async () => {
    await connection.close();
    await server.stop();
  });
  const append = (limitMs = 5_000) => {
    const event = { contentType: 'application/json', type: 'X', data: {}, metadata: {} } as const;
    return connection.call('an append', limitMs, (client) =>
      client.appendToStream('message-1', [{ ...event, id: crypto.randomUUID() }]),
    );
  };
  const read = () =>
    connection.call('a read', 5_000, async (client) => {
      let count = 0;
      for await (const _ of client.readAll({ maxCount: 10 })) count += 1;
      return count;
    });

  it('is one, and a second one for whoever reads', async () => {
    await append();
    expect(server.connections).toBe(1);
    expect(await read()).toBe(1);
    expect(server.connections).toBe(2);
  });

  it('that was not let in thirty times has none of the old ones open, and one half that reads', async () => {
    server.login = 'somebody:else';
    for (let times = 0; times < 30; times += 1) {
      const asked = await Promise.allSettled([append(), read()]);
      expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    }
    expect(connection.counts.replaced).toBeGreaterThan(20);
    await until(() => server.connections <= 3, 'the last one');
    // Each client asks once what the server can, and so does each half that reads.
    const greetings = server.calls.filter((call) => call === 'features');
    expect(greetings.length).toBeLessThanOrEqual(connection.counts.replaced + 2);
    server.login = undefined;
    await append();
    expect(await read()).toBe(1);
  });

  it('ends no process though a call is made on a client that was given up before', async () => {
    await connection.close();
    await server.stop();
    // One that takes appends one by one: such a call is made where nobody would catch what it throws.
    server = await new StandIn({ takesBatches: false }).start();
    const address = toAddress({ url: server.url(), directory: '.' });
    connection = new Connection({ address, firstPauseMs: 1, longestPauseMs: 2 });
    for (let times = 0; times < 60; times += 1) {
      const asked = [0, 5, 10, 15].map((limitMs) => append(limitMs).catch(() => undefined));
      await Promise.all(asked);
    }
    expect(connection.counts.replaced).toBeGreaterThan(20);
    expect(await append()).toMatchObject({ success: true });
  });

  it('reads again when the server was gone, and has none of the old ones open', async () => {
    await append();
    await read();
    await server.stop();
    for (let times = 0; times < 5; times += 1) {
      await expect(read()).rejects.toBeDefined();
      await expect(append()).rejects.toBeDefined();
    }
    await server.start();
    await until(
      () =>
        read().then(
          () => true,
          () => false,
        ),
      'an answer',
    );
    await append();
    await until(() => server.connections <= 2, 'the last ones');
  });
});

describe('the half of a client that reads', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());
  const half = new NativeHalf(async () => true);
  /** Reads through the half of a new client; which client's it is. */
  const readWith = async (name: string): Promise<unknown> => {
    const pages = {
      [Symbol.asyncIterator]: () => ({ next: async () => ({ value: name, done: false }) }),
    };
    const rustClient = { readAll: () => pages, readStream: () => pages };
    const client = { rustClient } as unknown as KurrentDBClient;
    half.handTo(client);
    const iterator = client.rustClient.readAll()[Symbol.asyncIterator]();
    return (await iterator.next()).value;
  };

  it('is handed on, and left behind at once, and then ever more rarely', async () => {
    expect(await readWith('a')).toBe('a');
    expect(await readWith('b')).toBe('a');
    jest.advanceTimersByTime(3_600_000);
    half.giveUp();
    expect(await readWith('c')).toBe('c');
    half.giveUp();
    // It was not calm long enough, and each that is left behind stays in memory.
    expect(await readWith('d')).toBe('c');
    let left = 0;
    let last: unknown = 'c';
    for (let seconds = 0; seconds < 3_600; seconds += 1) {
      jest.advanceTimersByTime(1_000);
      half.giveUp();
      const current = await readWith(`${seconds}`);
      if (current !== last) left += 1;
      last = current;
    }
    expect(left).toBeGreaterThan(50);
    expect(left).toBeLessThan(70);
  });
});
