/** One client of the gateway that wants too much: a long question, one that never ends, one that nobody waits for. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { connect, type ClientHttp2Session } from 'node:http2';
import { connect as connectTo, type Socket } from 'node:net';
import { KurrentDBClient, streamNameFilter } from '@kurrent/kurrentdb-client';
import { listenForFew, mostConnections } from '../../src/gateway/few-connections.ts';
import { openGateway, type Gateway } from '../../src/gateway/gateway.ts';
import type { Question } from '../../src/gateway/question.ts';
import { answersTo, type EventSource } from '../../src/gateway/read.ts';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import { noStream } from '../../src/log/ports.ts';
import { notedMany } from '../support/log-events.ts';
import { until } from '../support/until.ts';

let gateway: Gateway;
let isAsked: boolean;
beforeEach(async () => {
  isAsked = false;
  const log = new MemoryLog(new Map());
  await log.append(`message-${'a'.repeat(36)}`, noStream, notedMany(3));
  const mayRead = async () => (isAsked = true);
  const onTrouble = () => undefined;
  gateway = await openGateway({ log, host: '127.0.0.1', port: 0, mayRead, onTrouble });
});
afterEach(() => gateway.close());

/** The gRPC status that a question of so many bytes is answered with. */
function statusOf(bytes: number): Promise<string> {
  const session = connect(`http://127.0.0.1:${gateway.port}`);
  const question = Buffer.alloc(5 + bytes);
  question.writeUInt32BE(bytes, 1);
  return new Promise<string>((resolve, reject) => {
    session.on('error', reject);
    const call = session.request({
      ...{ ':method': 'POST', ':path': '/event_store.client.streams.Streams/Read' },
      ...{ 'content-type': 'application/grpc', te: 'trailers' },
    });
    const told = (headers: object): void => {
      const status = (headers as { readonly 'grpc-status'?: string })['grpc-status'];
      if (status !== undefined) resolve(status);
    };
    call.on('response', told).on('trailers', told).on('error', reject).resume();
    call.write(question.subarray(0, 5 + Math.min(bytes, 1_000)));
  }).finally(() => session.destroy());
}

/** Calls over one connection that say how long their question is, and never ask it. */
function begin(calls: number, headers: Readonly<Record<string, string>> = {}): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${gateway.port}`, { maxSendHeaderBlockLength: 1e6 });
  session.on('error', () => undefined);
  for (let n = 0; n < calls; n += 1) {
    const call = session.request({
      ...{ ':method': 'POST', ':path': '/event_store.client.streams.Streams/Read' },
      ...{ 'content-type': 'application/grpc', te: 'trailers', ...headers },
    });
    call.on('error', () => undefined).resume();
    call.write(Buffer.from([0, 0, 0, 0x10, 0]));
  }
  return session;
}

describe('a client that wants too much', () => {
  it('loses the connection over which it sends long headers', async () => {
    const session = begin(1, { 'x-long': 'x'.repeat(9_000) });
    await until(() => session.destroyed, 'the end');
    expect(isAsked).toBe(false);
  });

  it('loses connections when too many of its calls wait, and finds us again with fewer', async () => {
    const sessions = Array.from({ length: 5 }, () => begin(100));
    await until(() => sessions.some(({ destroyed }) => destroyed), 'the first end');
    for (const session of sessions) session.destroy();
    const honest = begin(100);
    const client = KurrentDBClient.connectionString(
      `kurrentdb://127.0.0.1:${gateway.port}?tls=false&discoveryInterval=1`,
    );
    let count = 0;
    for await (const { event } of client.readAll()) count += event === undefined ? 0 : 1;
    expect(count).toBe(3);
    expect(honest.destroyed).toBe(false);
    honest.destroy();
    await client.dispose();
  });

  it('is told so by the length of its question, before the question is read', async () => {
    expect(await statusOf(1024 * 1024)).toBe('8');
    expect(isAsked).toBe(false);
  });

  it('finds only so many places for its connections, and another when one has gone', async () => {
    const taken: Socket[] = [];
    const few = await listenForFew({ host: '127.0.0.1', port: 0 }, (socket) => taken.push(socket));
    const dial = () =>
      connectTo({ port: few.port, host: '127.0.0.1' })
        .on('error', () => undefined)
        .resume();
    const most = mostConnections.ofOneNetwork;
    const sockets = Array.from({ length: most + 5 }, dial);
    await until(() => sockets.filter(({ destroyed }) => destroyed).length === 5, 'five too many');
    expect(taken).toHaveLength(most);
    const gone = new Promise((resolve) => taken[0]!.once('close', resolve));
    taken[0]!.destroy();
    await gone;
    dial();
    await until(() => taken.length === most + 1, 'one more');
    few.close();
    await until(() => taken.every(({ destroyed }) => destroyed), 'the end');
  });

  it('does not stop the others with an expression that takes for ever', async () => {
    const client = KurrentDBClient.connectionString(
      `kurrentdb://127.0.0.1:${gateway.port}?tls=false&discoveryInterval=1`,
    );
    const read = async (regex: string): Promise<number> => {
      let count = 0;
      for await (const { event } of client.readAll({ filter: streamNameFilter({ regex }) }))
        count += event === undefined ? 0 : 1;
      return count;
    };
    await expect(read('^(\\w|.)*!$')).rejects.toThrow('takes too long');
    expect(await read('^message-a')).toBe(3);
    await client.dispose();
  });

  it('is not searched for on and on when it has gone', async () => {
    const gone = new AbortController();
    let pages = 0;
    const source: Pick<EventSource, 'page'> = {
      async page(from, _, limit) {
        pages += 1;
        if (pages === 3) gone.abort();
        if (pages > 10) throw new Error('nobody waits for this page');
        const event = { id: '', stream: 'message-a', revision: 0, type: 'LetterNoted' };
        const bytes = {
          isJson: true,
          created: 0,
          data: Buffer.alloc(0),
          metadata: Buffer.alloc(0),
        };
        return Array.from({ length: limit }, (_, no) => ({
          ...event,
          ...bytes,
          position: from + no,
        }));
      },
    };
    const filter = { wanted: () => new Set<never>(), checkpointEvery: 1 };
    const question: Question = {
      ...{ stream: undefined, from: 'start', backwards: false, count: 1, filter },
      ...{ uuids: 'string', compatibility: 1 },
    };
    const answers = answersTo(question, source as EventSource, gone.signal);
    expect(await answers.next()).toMatchObject({ done: true });
    expect(pages).toBe(3);
  });
});
