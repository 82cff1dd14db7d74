import { afterEach, describe, expect, it } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { noStream, type RecordedEvent } from '../../../src/log/ports.ts';
import type { Trouble } from '../../../src/mail/trouble.ts';
import { impatient, openLogAt, openStandIn, type LogParts } from '../../support/kurrent/open.ts';
import { StandIn, type StandInOptions } from '../../support/kurrent/stand-in.ts';
import { Store } from '../../support/kurrent/store.ts';
import { newStream, noted, notedAll, notedMany, notes } from '../../support/log-events.ts';
import { Listener } from '../../support/signals.ts';
import { until } from '../../support/until.ts';

const closing: (() => Promise<unknown>)[] = [];
const closes = <T extends { close(): Promise<unknown> }>(opened: T): T => {
  closing.push(() => opened.close());
  return opened;
};
const opened = async (options: StandInOptions = {}, parts: LogParts = {}) =>
  closes(await openStandIn(options, { ...impatient, ...parts }));

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

describe('an append whose outcome is not known', () => {
  it.each([
    ['dropped without a word', 'dropAppends'],
    ['written, and its answer lost', 'loseAnswers'],
    ['written, and called too late', 'timeOut'],
    ['refused, since the server is not ready', 'notReady'],
    ['met by a batch stream that ends in peace', 'endBatches'],
    ['met by a server that is away', 'unavailable'],
  ] as const)('and was %s is asked again and written once', async (_, fault) => {
    const { log, server } = await opened();
    const stream = newStream();
    await log.append(stream, noStream, notedAll('a'));
    server.faults[fault] = 2;
    const { revision, position } = await log.append(stream, 0, notedAll('b', 'c'));
    expect(revision).toBe(2);
    const read = await log.readStream(stream);
    expect(notes(read)).toEqual(['a', 'b', 'c']);
    expect(read.at(-1)?.position).toBe(position);
    expect(server.faults[fault]).toBe(0);
  });

  it('is given up after a while, told as unavailable, and can be asked again', async () => {
    const troubles: Trouble[] = [];
    const onTrouble = (trouble: Trouble) => void troubles.push(trouble);
    const { log, server } = await opened({}, { patienceMs: 500, onTrouble });
    const stream = newStream();
    server.faults.loseAnswers = Infinity;
    const refused = log.append(stream, noStream, notedAll('a'));
    await expect(refused).rejects.toMatchObject({ code: 'log-unavailable', tryAgain: true });
    expect(troubles).toHaveLength(1);
    server.faults.loseAnswers = 0;
    await log.append(stream, noStream, notedAll('a'));
    expect(notes(await log.readStream(stream))).toEqual(['a']);
  });

  it('is placed though the repetition is answered without a position', async () => {
    const { log, server } = await opened();
    const stream = newStream();
    const first = await log.append(stream, noStream, notedAll('a', 'b'));
    server.faults.forgetPositions = true;
    expect(await log.append(stream, noStream, notedAll('a', 'b'))).toEqual(first);
  });

  it('is not refused for a clock that is ahead of ours', async () => {
    const { log, server } = await opened();
    server.faults.clockAheadMs = 3_600_000;
    const stream = newStream();
    await log.append(stream, noStream, notedAll('a'));
    expect(notes(await log.readStream(stream))).toEqual(['a']);
  });

  it('does not hold up appends to other streams', async () => {
    const { log, server } = await opened();
    const [slow, quick] = [newStream(), newStream()];
    await log.append(quick, noStream, notedAll('a'));
    server.faults.dropAppends = 1;
    const order: string[] = [];
    await Promise.all([
      log.append(slow, noStream, notedAll('a')).then(() => order.push('slow')),
      log.append(quick, 0, notedAll('b')).then(() => order.push('quick')),
    ]);
    expect(order).toEqual(['quick', 'slow']);
  });
});

describe('appends to one stream', () => {
  it('keep their order though the first on a new connection is overtaken by the next', async () => {
    const { log, server } = await opened();
    server.faults.overtakeCold = 1;
    const stream = newStream();
    const appended = await Promise.all([
      ...Array.from({ length: 20 }, (_, n) => log.append(stream, n - 1, [noted(n)])),
      // The first is answered only when another one comes.
      log.append(newStream(), noStream, notedAll('other')),
    ]);
    expect(appended.slice(0, 20).map(({ revision }) => revision)).toEqual(
      Array.from({ length: 20 }, (_, n) => n),
    );
  });

  it('say what they were asked to say, whatever becomes of the object meanwhile', async () => {
    const { log } = await opened();
    const stream = newStream();
    const data: { n: unknown } = { n: 'before' };
    const appended = log.append(stream, noStream, [{ ...noted(0), data }]);
    data.n = 1n;
    await appended;
    expect(notes(await log.readStream(stream))).toEqual(['before']);
  });

  it('outlive a connection that takes no more and then breaks, however many wait', async () => {
    // Five megabytes to be sent again take their time on a busy machine.
    const { log, server } = await opened({}, { appendLimitMs: 1_500, patienceMs: 20_000 });
    await log.append(newStream(), noStream, notedAll('first'));
    server.faults.deaf = true;
    const large = { text: 'x'.repeat(50_000) };
    const streams = Array.from({ length: 100 }, newStream);
    const appended = streams.map((stream) => log.append(stream, noStream, [noted(1, large)]));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await server.stop();
    server.faults.deaf = false;
    await server.start();
    // The client would otherwise reject promises that nobody holds, and node end for it.
    await Promise.all(appended);
    expect(await log.readAll({ limit: 200 })).toHaveLength(101);
  });

  it('are turned away when too much waits already', async () => {
    const { log, server } = await opened({}, { patienceMs: 300, mostBytes: 70_000 });
    server.faults.dropAppends = Infinity;
    const large = { text: 'x'.repeat(1_000) };
    const outcomes = await Promise.allSettled(
      Array.from({ length: 70 }, () => log.append(newStream(), noStream, [noted(1, large)])),
    );
    const codes = outcomes.map((outcome) =>
      outcome.status === 'rejected' ? (outcome.reason as Trouble).code : 'written',
    );
    expect(codes.slice(0, 60)).not.toContain('busy');
    expect(codes.slice(-1)).toEqual(['busy']);
  });

  it('that are too large for an older server are refused for good, and are no trouble of the log', async () => {
    const troubles: Trouble[] = [];
    const onTrouble = (trouble: Trouble) => void troubles.push(trouble);
    const { log } = await opened({ version: '24.10.4' }, { onTrouble });
    const event = noted(1, { text: 'x'.repeat(1_100_000) });
    const refused = log.append(newStream(), noStream, [event]);
    await expect(refused).rejects.toMatchObject({ code: 'too-large', tryAgain: false });
    expect(troubles).toEqual([]);
  });

  it('of a name that nobody would find again are refused', async () => {
    const { log } = await opened();
    for (const stream of ['elsewhere-1', '$system', 'body-1']) {
      await expect(log.append(stream, noStream, notedAll('a'))).rejects.toThrow(TypeError);
    }
    await expect(log.append(newStream(), noStream, [])).rejects.toThrow(TypeError);
  });
});

describe('a server that is not there yet', () => {
  const nodes = async (count: number) => {
    const servers = [];
    for (let n = 0; n < count; n += 1) servers.push(await new StandIn().start());
    for (const server of servers) await server.stop();
    return servers;
  };

  it.each([1, 2])('is waited for, though it is found in a list of %i', async (count) => {
    const servers = await nodes(count);
    const hosts = servers.map(({ port }) => `127.0.0.1:${port}`).join(',');
    const url = `kurrentdb://${hosts}?tls=false`;
    const { log } = openLogAt(url, impatient);
    closes({ close: () => log.close().then(() => servers[0]!.stop()) });
    const stream = newStream();
    const written = log.append(stream, noStream, notedAll('a'));
    const read = log.readAll({ limit: 10 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await servers[0]!.start();
    await written;
    await read;
    expect(notes(await log.readStream(stream))).toEqual(['a']);
  });

  it('is not waited for when the log is closed', async () => {
    const [server] = await nodes(1);
    const { log } = openLogAt(server!.url(), { ...impatient, patienceMs: 60_000 });
    const read = log.readAll({ limit: 1 }).catch((cause: unknown) => cause);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await log.close();
    expect(await read).toMatchObject({ code: 'log-unavailable' });
  });
});

describe('another leader', () => {
  it('is found, for appends and reads, and the subscription goes on there', async () => {
    const store = new Store();
    const first = await new StandIn({ store }).start();
    const second = await new StandIn({ store }).start();
    const leader = (of: StandIn) => ({ host: '127.0.0.1', port: of.port });
    second.leader = leader(first);
    const url = `kurrentdb://127.0.0.1:${first.port},127.0.0.1:${second.port}?tls=false`;
    const { log } = closes({
      ...openLogAt(url, impatient),
      close: async () => {
        await log.close();
        await Promise.all([first.stop(), second.stop()]);
      },
    });
    const stream = newStream();
    const listener = new Listener(log.subscribe(0));
    await log.append(stream, noStream, notedAll('a'));
    await listener.untilEvents(1);
    [first.leader, second.leader] = [leader(second), undefined];
    first.breakReads(status.UNAVAILABLE);
    await log.append(stream, 0, notedAll('b'));
    expect(notes(await log.readStream(stream))).toEqual(['a', 'b']);
    await first.stop();
    await log.append(stream, 1, notedAll('c'));
    await listener.untilEvents(3);
    expect(notes(listener.events)).toEqual(['a', 'b', 'c']);
    listener.stop();
  });
});

describe('a node that is cut off from the others', () => {
  it('answers that it is not ready, and is left for another', async () => {
    const store = new Store();
    const first = await new StandIn({ store }).start();
    const second = await new StandIn({ store }).start();
    await second.stop();
    const url = `kurrentdb://127.0.0.1:${first.port},127.0.0.1:${second.port}?tls=false`;
    const { log } = closes({
      ...openLogAt(url, impatient),
      close: async () => {
        await log.close();
        await Promise.all([first.stop(), second.stop()]);
      },
    });
    const stream = newStream();
    await log.append(stream, noStream, notedAll('a'));
    await second.start();
    first.faults.notReady = Infinity;
    // Each new client asks them in an order of chance, and may find the same one again.
    const written = () =>
      log.append(stream, 0, notedAll('b')).then(
        () => true,
        () => false,
      );
    await until(written, 'the other node');
    expect(second.calls).toContain('batchAppend');
  });
});

describe('a read', () => {
  const filled = async (count: number, parts: LogParts = {}) => {
    const open = await opened({}, parts);
    const stream = newStream();
    await open.log.append(stream, noStream, notedMany(count));
    return { ...open, stream };
  };

  it.each([
    ['never answered', 'silentReads'],
    ['broken off half-way', 'brokenReads'],
    ['met by a server that is away', 'unavailable'],
  ] as const)('that is %s is asked again, and whole', async (_, fault) => {
    const { log, server, stream } = await filled(50);
    server.faults[fault] = 2;
    expect(notes(await log.readStream(stream))).toEqual(Array.from({ length: 50 }, (_, n) => n));
    server.faults[fault] = 1;
    expect(await log.readAll({ limit: 100 })).toHaveLength(50);
  });

  it('is given more time where the event store looks through what others wrote', async () => {
    const { log, server } = await filled(3);
    server.faults.slowPagesMs = 450;
    expect(notes(await log.readAll({ limit: 10 }))).toEqual([0, 1, 2]);
  });

  it('begins at any position, though the event store knows only its own', async () => {
    const { log } = await filled(30);
    const all = await log.readAll({ limit: 100 });
    const some = [1, all[0]!.position - 1, all[7]!.position, all[7]!.position + 1];
    for (const after of [...some, all[12]!.position - 1, all.at(-1)!.position + 77]) {
      const due = all.filter(({ position }) => position > after);
      expect(await log.readAll({ after, limit: 100 })).toEqual(due);
      expect(await log.readAll({ after, limit: 2 })).toEqual(due.slice(0, 2));
      const older = all.filter(({ position }) => position < after).reverse();
      const read = await log.readAll({ after, direction: 'backwards', limit: 100 });
      expect(read).toEqual(older);
    }
  });

  it('begins at any position far from those it knows, and is not taken in by what stands there', async () => {
    const { log, server, stream } = await filled(1);
    const text = 'x'.repeat(400_000);
    for (let n = 1; n < 4; n += 1) await log.append(stream, n - 1, [noted(n, { text })]);
    const [first, , third] = server.store.stream(stream)!.events;
    const inside = third!.position + 200_000;
    server.store.forge(inside, { ...first!, revision: 17, position: inside + 5 });
    const positions = server.store.stream(stream)!.events.map(({ position }) => position);
    for (const after of [inside, inside + 1, third!.position, third!.position - 1]) {
      // A reader who knows nothing yet.
      const { log: other } = closes(openLogAt(server.url(), impatient));
      const read = await other.readAll({ after, limit: 10 });
      expect(read.map(({ position }) => position)).toEqual(
        positions.filter((position) => position > after),
      );
      const older = await other.readAll({ after, direction: 'backwards', limit: 10 });
      expect(notes(older)).toEqual([3, 2, 1, 0].filter((n) => positions[n]! < after));
    }
  });

  it('passes over what Waybill did not write, and names it once', async () => {
    const found: unknown[] = [];
    const { log, server, stream } = await filled(2, { onDamage: (damage) => found.push(damage) });
    const strange = { id: crypto.randomUUID(), type: 'Strange', isJson: true };
    const empty = Buffer.alloc(0);
    server.store.append(stream, 1, [{ ...strange, data: Buffer.from('{}'), metadata: empty }]);
    server.store.append('elsewhere-1', -1, [{ ...strange, data: empty, metadata: empty }]);
    await log.append(stream, 2, notedAll('last'));
    for (const _ of [1, 2]) {
      expect(notes(await log.readAll({ limit: 10 }))).toEqual([0, 1, 'last']);
    }
    const damage = { stream, what: 'an event of type Strange that Waybill did not write' };
    expect(log.damages()).toEqual([expect.objectContaining(damage)]);
    expect(found).toHaveLength(1);
    await expect(log.readStream(stream)).rejects.toMatchObject({ code: 'log-damaged' });
    expect(notes(await log.readStream(stream, { from: 3 }))).toEqual(['last']);
  });

  it('passes over what does not look like one of ours, though it is written as ours are', async () => {
    const oddity = ({ type }: { readonly type: string }) => (type === 'Odd' ? 'odd' : undefined);
    const { log, server, stream } = await filled(1, { oddity });
    const heard: unknown[] = [];
    const following = log.subscribe(0).subscribe((signal) => {
      if (signal.kind === 'event') heard.push(signal.event.type);
    });
    await until(() => heard.length === 1, 'the first');
    const odd = { id: crypto.randomUUID(), type: 'Odd', isJson: true, data: Buffer.from('null') };
    const metadata = Buffer.from('{"v":"1","at":"1"}');
    server.store.append(stream, 0, [{ ...odd, metadata }]);
    await log.append(stream, 1, notedAll('last'));
    await until(() => heard.length === 2, 'the last');
    following.unsubscribe();
    expect(notes(await log.readAll({ limit: 10 }))).toEqual([0, 'last']);
    expect(log.damages()).toMatchObject([{ stream, what: 'odd' }]);
    await expect(log.readStream(stream)).rejects.toMatchObject({ code: 'log-damaged' });
  });

  it('tells data that is no JSON from data that is a text', async () => {
    const { log, server, stream } = await filled(1);
    await log.append(stream, 0, [{ ...noted(1), data: 'a text' }, noted(2)]);
    expect((await log.readStream(stream))[1]?.data).toBe('a text');
    const bytes = server.store.stream(stream)!.events[2]!.data;
    bytes[0] = 0x78;
    expect(await log.readAll({ limit: 10 })).toHaveLength(2);
    expect(log.damages()).toEqual([expect.objectContaining({ what: 'its data is no JSON' })]);
  });
});

describe('a subscription', () => {
  const following = async (parts: LogParts = {}) => {
    const open = await opened({}, parts);
    const stream = newStream();
    await open.log.append(stream, noStream, notedMany(3));
    const listener = new Listener(open.log.subscribe(0));
    await listener.until(({ caughtUp }) => caughtUp > 0);
    return { ...open, stream, listener };
  };
  const hasHeard = (listener: Listener, count: number) => {
    expect(notes(listener.events)).toEqual(Array.from({ length: count }, (_, n) => n));
    const positions = listener.events.map(({ position }: RecordedEvent) => position);
    expect([...positions].sort((a, b) => a - b)).toEqual(positions);
    listener.stop();
  };

  it.each([
    ['with a status', status.UNAVAILABLE],
    ['with another status', status.INTERNAL],
    ['in peace', undefined],
  ])('that ends %s is begun again where it was', async (_, code) => {
    const { log, server, stream, listener } = await following();
    for (let n = 3; n < 9; n += 1) {
      if (n % 2 === 0) server.breakReads(code);
      await log.append(stream, n - 1, [noted(n)]);
    }
    await listener.untilEvents(9);
    hasHeard(listener, 9);
  });

  it('whose server dies and comes back goes on, and so does everything else', async () => {
    const { log, server, stream, listener } = await following();
    await server.stop();
    const written = log.append(stream, 2, notedMany(2, 3));
    await new Promise((resolve) => setTimeout(resolve, 200));
    await server.start();
    await written;
    await listener.untilEvents(5);
    hasHeard(listener, 5);
  });

  it('that seems to be alive and tells nothing is noticed by what must have come', async () => {
    const { log, server, stream, listener } = await following();
    server.faults.mute = true;
    await log.append(stream, 2, notedMany(1, 3));
    await listener.untilEvents(4);
    hasHeard(listener, 4);
  });

  it('that tells nothing to one who only listens is noticed by asking where the log ends', async () => {
    const { log, server } = await opened();
    const { log: listening } = closes(openLogAt(server.url(), { ...impatient, quietMs: 100 }));
    const listener = new Listener(listening.subscribe(0));
    await listener.until(({ caughtUp }) => caughtUp > 0);
    server.faults.mute = true;
    await log.append(newStream(), noStream, notedMany(2));
    await listener.untilEvents(2);
    hasHeard(listener, 2);
  });

  it('that is not confirmed is begun anew', async () => {
    const { log, server } = await opened();
    const stream = newStream();
    await log.append(stream, noStream, notedMany(2));
    // The first read finds the head, the next is the subscription.
    const listener = new Listener(log.subscribe(0));
    server.faults.silentReads = 2;
    await listener.untilEvents(2);
    await log.append(stream, 1, notedMany(2, 2));
    await listener.untilEvents(4);
    hasHeard(listener, 4);
  });

  it('does not hear of the streams of others, nor of bodies', async () => {
    const { server, log, stream, listener } = await following();
    const foreign = { id: crypto.randomUUID(), type: 'Foreign', isJson: false };
    const bytes = { data: Buffer.alloc(10), metadata: Buffer.alloc(0) };
    server.store.append('elsewhere-1', -1, [{ ...foreign, ...bytes }]);
    server.store.append('body-1', -1, [{ ...foreign, ...bytes }]);
    await log.append(stream, 2, notedMany(1, 3));
    await listener.untilEvents(4);
    expect(log.damages()).toEqual([]);
    hasHeard(listener, 4);
  });
});
