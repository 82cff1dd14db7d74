import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { toAddress } from '../../../src/control/event-store-address.ts';
import { Connection } from '../../../src/log/kurrentdb/connection.ts';
import { KurrentLog } from '../../../src/log/kurrentdb/kurrent-log.ts';
import { noStream } from '../../../src/log/ports.ts';
import { selfSigned } from '../../support/certificate.ts';
import { impatient, openStandIn } from '../../support/kurrent/open.ts';
import { StandIn } from '../../support/kurrent/stand-in.ts';
import { newStream, notedAll, notes } from '../../support/log-events.ts';
import { Listener } from '../../support/signals.ts';
import { tempDir, type TempDir } from '../../support/temp-dir.ts';

describe('an EventStoreDB that takes appends one by one only', () => {
  it('is written to, read and followed all the same', async () => {
    const options = { version: '20.10.0', takesBatches: false };
    const { log, server, close } = await openStandIn(options, impatient);
    const stream = newStream();
    const listener = new Listener(log.subscribe(0));
    await log.append(stream, noStream, notedAll('a'));
    server.faults.loseAnswers = 1;
    await log.append(stream, 0, notedAll('b', 'c'));
    await expect(log.append(stream, 0, notedAll('x'))).rejects.toMatchObject({
      ...{ code: 'revision-conflict', expected: 0, actual: 2 },
    });
    await listener.untilEvents(3);
    expect(notes(listener.events)).toEqual(['a', 'b', 'c']);
    expect(server.calls).not.toContain('batchAppend');
    listener.stop();
    await close();
  });
});

describe('an event store behind TLS and a password', () => {
  let dir: TempDir;
  let server: StandIn;
  let log: KurrentLog;
  beforeEach(async () => {
    dir = tempDir();
    const { cert, key } = selfSigned('127.0.0.1');
    const tls = { certificate: Buffer.from(cert), key: Buffer.from(key) };
    server = await new StandIn({ tls, login: 'waybill:a:b@c/d' }).start();
  });
  afterEach(async () => {
    await log.close();
    await server.stop();
    dir.remove();
  });
  const open = (credentials: string, hosts = `localhost:${server.port}`): KurrentLog => {
    writeFileSync(dir.file('secret'), credentials);
    const address = toAddress({
      url: `kurrentdb://${hosts}?tls=true&tlsVerifyCert=false`,
      ...{ credentialsFile: dir.file('secret'), directory: dir.file('.') },
    });
    const connection = new Connection({ address, firstPauseMs: 5, longestPauseMs: 50 });
    log = new KurrentLog({ connection, ...impatient });
    return log;
  };
  const denied = expect.objectContaining({
    code: 'log-unavailable',
    message: expect.stringContaining('does not know us or does not let us'),
  });

  it('takes events from who knows the password, which lies in a file', async () => {
    open('waybill:a:b@c/d\n');
    const stream = newStream();
    await log.append(stream, noStream, notedAll('a'));
    expect(notes(await log.readAll({ limit: 10 }))).toEqual(['a']);
    expect(server.calls).toContain('batchAppend');
  });

  it('is found among several, whatever the password is made of', async () => {
    open('waybill:a:b@c/d', `localhost:${server.port},localhost:1`);
    await log.append(newStream(), noStream, notedAll('a'));
    const listener = new Listener(log.subscribe(0));
    await listener.untilEvents(1);
    expect(notes(await log.readAll({ limit: 10 }))).toEqual(['a']);
    listener.stop();
  });

  it('says so at once to who does not', async () => {
    open('waybill:wrong');
    await expect(log.append(newStream(), noStream, notedAll('a'))).rejects.toEqual(denied);
    await expect(log.readAll({ limit: 1 })).rejects.toEqual(denied);
  });

  it('is spoken to with the new password, once that is in the file', async () => {
    open('waybill:a:b@c/d');
    const stream = newStream();
    await log.append(stream, noStream, notedAll('a'));
    server.login = 'waybill:new';
    await server.stop();
    await server.start();
    await expect(log.append(stream, 0, notedAll('b'))).rejects.toEqual(denied);
    writeFileSync(dir.file('secret'), 'waybill:new');
    await log.append(stream, 0, notedAll('b'));
    expect(notes(await log.readStream(stream))).toEqual(['a', 'b']);
  });

  it('tells one who may write but not read everything, and lets him when he may', async () => {
    server.readsAll = false;
    open('waybill:a:b@c/d');
    const stream = newStream();
    await log.append(stream, noStream, notedAll('a'));
    await expect(log.readAll({ limit: 1 })).rejects.toEqual(denied);
    const listener = new Listener(log.subscribe(0));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect([listener.heard, listener.ended]).toEqual([[], undefined]);
    server.readsAll = true;
    await listener.untilEvents(1);
    expect(notes(listener.events)).toEqual(['a']);
    listener.stop();
  });
});
