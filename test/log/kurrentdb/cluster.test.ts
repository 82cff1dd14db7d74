/** Three nodes with TLS, certificates and a password, as docs/CLUSTER-EXAMPLE.md sets them up. */
import { writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { toAddress } from '../../../src/control/event-store-address.ts';
import { Connection } from '../../../src/log/kurrentdb/connection.ts';
import { KurrentLog } from '../../../src/log/kurrentdb/kurrent-log.ts';
import { whyNobodyAnswers } from '../../../src/log/kurrentdb/why-nobody-answers.ts';
import { noStream } from '../../../src/log/ports.ts';
import { makeCertificates, whyNoCertificates } from '../../support/kurrent/certificates.ts';
import { Cluster } from '../../support/kurrent/cluster.ts';
import { newStream, noted, notedAll, notes } from '../../support/log-events.ts';
import { Listener } from '../../support/signals.ts';
import { tempDir, type TempDir } from '../../support/temp-dir.ts';

const lacks = whyNoCertificates();
const where = lacks === undefined ? describe : describe.skip;

where(`a cluster with certificates of its own${lacks === undefined ? '' : ` (${lacks})`}`, () => {
  let dir: TempDir;
  let cluster: Cluster;
  let log: KurrentLog;
  beforeAll(() => {
    dir = tempDir();
    makeCertificates(dir.path);
    writeFileSync(dir.file('secret'), 'waybill:a word');
  });
  afterAll(() => dir.remove());
  beforeEach(async () => {
    cluster = await new Cluster({ certificates: dir.path, login: 'waybill:a word' }).start();
    log = open(cluster.url('&tlsCAFile=ca.pem'));
  });
  afterEach(async () => {
    await log.close();
    await cluster.stop();
  });
  const addressOf = (url: string) =>
    toAddress({ url, credentialsFile: dir.file('secret'), directory: dir.path });
  const open = (url: string): KurrentLog => {
    const connection = new Connection({
      ...{ address: addressOf(url), firstPauseMs: 5, longestPauseMs: 100, longestVainMs: 200 },
    });
    return new KurrentLog({ connection, appendLimitMs: 800, readLimitMs: 800, patienceMs: 20_000 });
  };
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  it('takes events through elections, deaths and nodes that stand still, each once and in order', async () => {
    const stream = newStream();
    const listener = new Listener(log.subscribe(0));
    let written = 0;
    const write = async (): Promise<void> => {
      await log.append(stream, written - 1, [noted(written)]);
      written += 1;
    };
    await write();
    // An election: nobody takes anything for a while.
    cluster.elect();
    const meanwhile = write();
    await pause(400);
    cluster.lead(1);
    await meanwhile;
    // The leader dies.
    await cluster.kill(1);
    const after = write();
    await pause(100);
    cluster.lead(2);
    await after;
    // The next leader stands still with all connections open, and the others elect another.
    cluster.hang(2);
    const stuck = write();
    await pause(100);
    await cluster.revive(1);
    cluster.lead(1);
    await stuck;
    expect(notes(await log.readStream(stream))).toEqual([0, 1, 2, 3]);
    await write();
    await listener.untilEvents(5);
    expect(notes(listener.events)).toEqual([0, 1, 2, 3, 4]);
    listener.stop();
  }, 30_000);

  it('is written to through one that follows, which passes on what it takes', async () => {
    await log.close();
    const [, follower] = cluster.nodes;
    log = open(follower!.url('&tlsCAFile=ca.pem').replace(/\/\/.*@/, '//'));
    const stream = newStream();
    await log.append(stream, noStream, notedAll('a'));
    expect(notes(await log.readStream(stream))).toEqual(['a']);
    expect(follower!.calls).toContain('batchAppend');
  });

  it('is found by one name, too', async () => {
    await log.close();
    const { port } = cluster.nodes[0]!;
    log = open(`kurrentdb+discover://127.0.0.1:${port}?tls=true&tlsCAFile=ca.pem`);
    cluster.lead(2);
    await log.append(newStream(), noStream, notedAll('a'));
    expect(await log.readAll({ limit: 10 })).toHaveLength(1);
    expect(cluster.nodes[2]!.calls).toContain('batchAppend');
  });

  it('whose certificates are another authority’s is named, host by host, with the reason', async () => {
    const hosts = cluster.nodes.map(({ port }, n) => `127.0.0.${n + 1}:${port}`);
    const why = await whyNobodyAnswers(addressOf(cluster.url()));
    expect(why).toBe(`${hosts.join(', ')}: unable to verify the first certificate`);
    const port = cluster.nodes[0]!.port;
    const named = addressOf(`kurrentdb://localhost:${port}?tls=true&tlsCAFile=ca.pem`);
    expect(await whyNobodyAnswers(named)).toMatch(/^localhost:\d+: .*does not match/);
    await cluster.kill(0);
    const rest = await whyNobodyAnswers(addressOf(cluster.url('&tlsCAFile=ca.pem')));
    expect(rest).toMatch(/^127\.0\.0\.1:\d+: .*ECONNREFUSED.*; .*: answers, .*no leader/);
  });
});
