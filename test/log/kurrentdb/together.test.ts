/** Appends to several streams, by the second version of the event store's protocol. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { noStream, type EventLog } from '../../../src/log/ports.ts';
import { appending } from '../../contracts/event-log/appending.ts';
import type { Desk } from '../../contracts/event-log.ts';
import { sharedLogContract } from '../../contracts/shared-log.ts';
import { impatient, openLogAt, openStandIn, realServer } from '../../support/kurrent/open.ts';
import { StandIn } from '../../support/kurrent/stand-in.ts';
import { Store } from '../../support/kurrent/store.ts';
import { newStream, notedAll, notes } from '../../support/log-events.ts';

sharedLogContract('a shared log in KurrentDB (stand-in)', () => openStandIn());

if (realServer === undefined) {
  describe('a shared log in a real KurrentDB', () => {
    it.skip('WAYBILL_KURRENT_URL names no server: not tried', () => undefined);
  });
} else {
  const url: string = realServer;
  sharedLogContract('a shared log in a real KurrentDB', async () => {
    const { log } = openLogAt(url);
    return { log, close: () => log.close() };
  });
}

describe('where every append depends on a fence', () => {
  const desk = {} as Desk;
  beforeEach(async () => {
    const { log, close } = await openStandIn();
    const fence = newStream();
    const behind: EventLog = {
      append: (stream, expected, events, body) =>
        log.appendTogether([{ stream, expected, events }], fence, body),
      readStream: (...asked) => log.readStream(...asked),
      readAll: (asked) => log.readAll(asked),
      head: () => log.head(),
      subscribe: (from) => log.subscribe(from),
      damages: () => log.damages(),
      close: () => log.close(),
    };
    desk.log = behind;
    desk.open = { log: behind, close };
    desk.start = await log.head();
  });
  afterEach(() => desk.open.close());
  appending(desk, { reopens: false, carriesBodies: false, isFar: true });
});

describe('an append to several streams', () => {
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });
  const open = async (version = '26.1.0') => {
    const opened = await openStandIn({ version }, impatient);
    closing.push(opened.close);
    return opened;
  };

  it.each([
    ['dropped without a word', 'dropAppends'],
    ['written, and its answer lost', 'loseAnswers'],
    ['written, and called too late', 'timeOut'],
    ['refused, since the server is not ready', 'notReady'],
    ['met by a server that is away', 'unavailable'],
  ] as const)('that was %s is asked again and written once', async (_, fault) => {
    const { log, server } = await open();
    const [stream, fence] = [newStream(), newStream()];
    await log.append(stream, noStream, notedAll('a'));
    server.faults[fault] = 2;
    const write = { stream, expected: 0, events: notedAll('b', 'c') };
    const { revision, position } = await log.appendTogether([write], fence);
    const read = await log.readStream(stream);
    expect([revision, notes(read)]).toEqual([2, ['a', 'b', 'c']]);
    expect(read.at(-1)?.position).toBe(position);
  });

  it('finds the leader, though a follower’s answer says nothing that the client understands', async () => {
    const store = new Store();
    const servers = [new StandIn({ store }), new StandIn({ store })] as const;
    for (const server of servers) await server.start();
    const [one, two] = servers;
    const hosts = servers.map(({ port }) => `127.0.0.1:${port}`).join(',');
    const { log } = openLogAt(`kurrentdb://${hosts}?tls=false&discoveryInterval=1`, impatient);
    closing.push(
      () => log.close(),
      () => one.stop(),
      () => two.stop(),
    );
    const stream = newStream();
    two.leader = { host: '127.0.0.1', port: one.port };
    await log.appendTogether([{ stream, expected: noStream, events: notedAll('a') }]);
    two.leader = undefined;
    one.leader = { host: '127.0.0.1', port: two.port };
    await log.appendTogether([{ stream, expected: 0, events: notedAll('b') }]);
    expect(notes(await log.readStream(stream))).toEqual(['a', 'b']);
  });

  it('is nothing that a server before 25.1 understands, and it says so', async () => {
    const { log } = await open('25.0.1');
    expect(await log.togetherness()).toBe('none');
    expect(await log.canAppendTogether()).toBe(false);
  });
});

describe('an append to several streams before 26.1, each once', () => {
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });
  const open = async () => {
    const opened = await openStandIn({ version: '26.0.3' }, impatient);
    closing.push(opened.close);
    return opened;
  };
  const lines = async (log: EventLog) =>
    (await log.readAll({ limit: 10 })).map(({ stream, revision }) => `${stream} ${revision}`);

  it('is known, and is not enough for fences', async () => {
    const { log } = await open();
    expect(await log.togetherness()).toBe('streams-once');
    expect(await log.canAppendTogether()).toBe(false);
  });

  it.each([
    ['dropped without a word', 'dropAppends'],
    ['written, and its answer lost', 'loseAnswers'],
    ['met by a server that is away', 'unavailable'],
  ] as const)('that was %s is written once, in the order given', async (_, fault) => {
    const { log, server } = await open();
    const [one, two] = [newStream(), newStream()];
    await log.append(one, noStream, notedAll('a'));
    server.faults[fault] = 2;
    const { revision, position } = await log.appendTogether([
      { stream: two, expected: noStream, events: notedAll('b', 'c') },
      { stream: one, expected: 0, events: notedAll('d') },
    ]);
    expect([revision, position]).toEqual([1, await log.head()]);
    expect(await lines(log)).toEqual([`${one} 0`, `${two} 0`, `${two} 1`, `${one} 1`]);
  });

  it('writes nothing at all where one is not as expected', async () => {
    const { log } = await open();
    const [one, two] = [newStream(), newStream()];
    await log.append(one, noStream, notedAll('a', 'b'));
    const writes = [
      { stream: two, expected: noStream, events: notedAll('c') },
      { stream: one, expected: 0, events: notedAll('d') },
    ];
    const conflict = { code: 'revision-conflict', stream: one, expected: 0, actual: 1 };
    await expect(log.appendTogether(writes)).rejects.toMatchObject(conflict);
    expect(await lines(log)).toEqual([`${one} 0`, `${one} 1`]);
  });
});
