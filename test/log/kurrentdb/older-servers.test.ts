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
  const open = (credentials: string): KurrentLog => {
    writeFileSync(dir.file('secret'), credentials);
    const address = toAddress({
      url: `kurrentdb://localhost:${server.port}?tls=true&tlsVerifyCert=false`,
      ...{ credentialsFile: dir.file('secret'), directory: dir.file('.') },
    });
    log = new KurrentLog({ connection: new Connection({ address }), ...impatient });
    return log;
  };

  it('takes events from who knows the password, which lies in a file', async () => {
    open('waybill:a:b@c/d\n');
    const stream = newStream();
    await log.append(stream, noStream, notedAll('a'));
    expect(notes(await log.readAll({ limit: 10 }))).toEqual(['a']);
    expect(server.calls).toContain('batchAppend');
  });

  it('says so at once to who does not', async () => {
    open('waybill:wrong');
    const refused = expect.objectContaining({
      code: 'log-unavailable',
      message: expect.stringContaining('does not know us'),
    });
    await expect(log.append(newStream(), noStream, notedAll('a'))).rejects.toEqual(refused);
    await expect(log.readAll({ limit: 1 })).rejects.toMatchObject({ code: 'log-unavailable' });
  });
});
