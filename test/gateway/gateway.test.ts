import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  AccessDeniedError,
  eventTypeFilter,
  excludeSystemEvents,
  jsonEvent,
  KurrentDBClient,
  StreamNotFoundError,
  streamNameFilter,
  type AllStreamSubscription,
  type ResolvedEvent,
} from '@kurrent/kurrentdb-client';
import { openGateway, type Gateway } from '../../src/gateway/gateway.ts';
import { noStream, type EventLog } from '../../src/log/ports.ts';
import { newStream, noted, notedAll, notedMany } from '../support/log-events.ts';
import { openStandIn } from '../support/kurrent/open.ts';
import { openSqlite } from '../support/sqlite-log.ts';
import { until } from '../support/until.ts';

describe('a standard client of the event store', () => {
  let opened: Awaited<ReturnType<typeof openSqlite>>;
  let log: EventLog;
  let gateway: Gateway;
  let client: KurrentDBClient;
  const troubles: unknown[] = [];
  beforeEach(async () => {
    opened = await openSqlite();
    log = opened.log;
    const onTrouble = (cause: unknown) => void troubles.push(cause);
    const mayRead = async () => true;
    gateway = await openGateway({ log, host: '127.0.0.1', port: 0, mayRead, onTrouble });
    client = dial();
  });
  afterEach(async () => {
    await client.dispose();
    await gateway.close();
    await opened.close();
    expect(troubles.splice(0)).toEqual([]);
  });

  const dial = (scheme = 'kurrentdb') =>
    KurrentDBClient.connectionString(
      `${scheme}://127.0.0.1:${gateway.port}?tls=false&discoveryInterval=1`,
    );
  const all = async (read: AsyncIterable<ResolvedEvent>) => {
    const events = [];
    for await (const { event } of read) events.push(event!);
    return events;
  };
  const ns = (events: readonly { readonly data: unknown }[]) =>
    events.map(({ data }) => (data as { n: unknown }).n);
  /** What a subscriber hears, signals included. */
  const hear = (subscription: AllStreamSubscription) => {
    const heard: { readonly events: ResolvedEvent[]; caughtUp: number } = {
      events: [],
      caughtUp: 0,
    };
    subscription.on('data', (event: ResolvedEvent) => heard.events.push(event));
    subscription.on('caughtUp', () => (heard.caughtUp += 1));
    subscription.on('error', (cause) => troubles.push(cause));
    return heard;
  };

  it('reads a letter’s stream, forwards and backwards', async () => {
    const stream = newStream();
    await log.append(stream, noStream, notedMany(5));
    const read = await all(client.readStream(stream));
    expect(ns(read)).toEqual([0, 1, 2, 3, 4]);
    expect(read[1]).toMatchObject({
      ...{ streamId: stream, revision: 1n, type: 'LetterNoted', isJson: true },
      metadata: { v: '1', at: String(Date.UTC(2026, 0, 1)) },
      created: new Date(Date.UTC(2026, 0, 1)),
    });
    const backwards = { direction: 'backwards', fromRevision: 3n, maxCount: 2 } as const;
    expect(ns(await all(client.readStream(stream, backwards)))).toEqual([3, 2]);
    expect(ns(await all(client.readStream(stream, { fromRevision: 4n })))).toEqual([4]);
    expect(await all(client.readStream(stream, { fromRevision: 5n }))).toEqual([]);
    await expect(all(client.readStream(newStream()))).rejects.toThrow(StreamNotFoundError);
  });

  it('reads the whole log, or the part that a filter lets through', async () => {
    const stream = newStream();
    await log.append('node-a', noStream, notedAll('start'));
    await log.append(stream, noStream, [noted(1), { ...noted(2), type: 'Other' }]);
    expect(ns(await all(client.readAll()))).toEqual(['start', 1, 2]);
    expect(ns(await all(client.readAll({ direction: 'backwards', fromPosition: 'end' })))).toEqual([
      2,
      1,
      'start',
    ]);
    const filtered = async (filter: object) => ns(await all(client.readAll({ filter } as never)));
    expect(await filtered(streamNameFilter({ prefixes: ['message-'] }))).toEqual([1, 2]);
    expect(await filtered(streamNameFilter({ regex: '^(node|door)-' }))).toEqual(['start']);
    expect(await filtered(eventTypeFilter({ prefixes: ['Oth'] }))).toEqual([2]);
    expect(await filtered(excludeSystemEvents())).toEqual(['start', 1, 2]);
    await expect(filtered(streamNameFilter({ regex: '(a+)+$' }))).rejects.toThrow(
      /not one that is understood/,
    );
  });

  it('follows the log from the start, hears that it has caught up, and then what comes', async () => {
    const stream = newStream();
    await log.append(stream, noStream, notedMany(1_200));
    const heard = hear(client.subscribeToAll());
    await until(() => heard.caughtUp > 0, 'the end of the catch-up');
    expect(heard.events).toHaveLength(1_200);
    await log.append(stream, 1_199, notedMany(3, 1_200));
    await until(() => heard.events.length === 1_203, 'the new events');
    expect(ns(heard.events.map(({ event }) => event!))).toEqual(
      Array.from({ length: 1_203 }, (_, n) => n),
    );
    expect(heard.caughtUp).toBe(1);
  });

  it('goes on from a checkpoint, missing and repeating nothing while mail flows', async () => {
    const total = 2_000;
    const flow = (async () => {
      for (let n = 0; n < total; n += 10) await log.append(newStream(), noStream, notedMany(10, n));
    })();
    const heard: unknown[] = [];
    let position: { commit: bigint; prepare: bigint } | 'start' = 'start';
    while (heard.length < total) {
      const filter = streamNameFilter({ prefixes: ['message-'] });
      const subscription = client.subscribeToAll({ fromPosition: position, filter });
      for await (const { event } of subscription) {
        heard.push((event!.data as { n: number }).n);
        position = event!.position!;
        // Gone in the middle of it, again and again.
        if (heard.length % 700 === 0 || heard.length === total) break;
      }
      await subscription.unsubscribe();
    }
    await flow;
    expect(heard).toEqual(Array.from({ length: total }, (_, n) => n));
  });

  it('hears how far it is, though nothing is what it wants', async () => {
    const reached: bigint[] = [];
    const filter = streamNameFilter({
      ...{ prefixes: ['nothing-'], checkpointInterval: 1, maxSearchWindow: 10 },
      checkpointReached: async (_, { commit }) => void reached.push(commit),
    });
    client.subscribeToAll({ filter }).on('error', (cause) => troubles.push(cause));
    await log.append(newStream(), noStream, notedMany(35));
    const head = BigInt(await log.head());
    await until(() => (reached.at(-1) ?? 0n) >= head - 9n, 'a checkpoint');
    expect([...reached].sort((a, b) => Number(a - b))).toEqual(reached);
  });

  it('follows one stream, which may not be there yet', async () => {
    const stream = newStream();
    const subscription = client.subscribeToStream(stream);
    const heard: ResolvedEvent[] = [];
    subscription.on('data', (event: ResolvedEvent) => heard.push(event));
    await log.append(newStream(), noStream, notedAll('other'));
    await log.append(stream, noStream, notedAll('a', 'b'));
    await until(() => heard.length === 2, 'both events');
    expect(ns(heard.map(({ event }) => event!))).toEqual(['a', 'b']);
  });

  it('finds us by gossip, as it would a cluster', async () => {
    await log.append(newStream(), noStream, notedAll('a'));
    const other = dial('kurrentdb+discover');
    expect(ns(await all(other.readAll()))).toEqual(['a']);
    const heard = hear(other.subscribeToAll());
    await until(() => heard.events.length === 1, 'the event');
    await other.dispose();
  });

  it('may not write', async () => {
    const stream = newStream();
    const event = jsonEvent({ type: 'Forged', data: {} });
    await expect(client.appendToStream(stream, event)).rejects.toThrow(AccessDeniedError);
    await expect(client.deleteStream(stream)).rejects.toThrow(AccessDeniedError);
    await expect(client.tombstoneStream(stream)).rejects.toThrow(AccessDeniedError);
    expect(await log.head()).toBe(0);
  });

  it('sees the same events that the log in KurrentDB holds, ids included', async () => {
    const stream = newStream();
    const events = [noted('Grüße 😀'), { ...noted(1), data: 'a text', v: 3 }];
    await log.append(stream, noStream, events);
    const other = await openStandIn();
    await other.log.append(stream, noStream, events);
    const there = other.server.store.stream(stream)!.events;
    const here = await all(client.readStream(stream));
    expect(here.map(({ id }) => id)).toEqual(there.map(({ id }) => id));
    expect(here.map(({ metadata }) => metadata)).toEqual(
      there.map(({ metadata }) => JSON.parse(Buffer.from(metadata).toString()) as unknown),
    );
    await other.close();
  });
});
