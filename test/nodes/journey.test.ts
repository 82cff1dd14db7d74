/** PIC: two engines, each a process tree with a data directory of its own, on one event store; one is killed under load. */
import { describe, expect, it } from '@jest/globals';
import { makeEngine, type Engine } from '../support/engine.ts';
import { StandIn } from '../support/kurrent/stand-in.ts';
import { load, openLedger, tokenOf } from '../support/ledger.ts';
import { openSink } from '../support/sink.ts';
import { handIn } from '../support/smtp-talk.ts';
import { until } from '../support/until.ts';

const beatMs = 500;
const ttlMs = 5_000;

type NodeLine = { readonly node: string; readonly status: string; readonly letters: number };

const nodesOf = async (engine: Engine): Promise<readonly NodeLine[]> =>
  (await engine.waybill('nodes', '--json')).stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as NodeLine);

const verified = async (engine: Engine) => {
  const { code, stdout, stderr } = await engine.waybill('verify');
  expect({ code, stderr, stdout: code === 0 ? '' : stdout }).toEqual({
    code: 0,
    stderr: '',
    stdout: '',
  });
  return stdout;
};

describe('two engines on one event store', () => {
  it('go on with each other’s letters: one is killed under load, restarted, and one is told to stop', async () => {
    const server = await new StandIn().start();
    let held = 0;
    const sink = await openSink(0, {
      // Some are put off, so that there is something to go on with.
      data: () => ((held += 1) % 3 === 0 ? '451 later' : '250 accepted'),
    });
    const make = (name: string) =>
      makeEngine({
        control: { smtproutes: `sink.test:127.0.0.1:${sink.port}\n`, concurrencyremote: '6\n' },
        env: {
          WAYBILL_LOG_ENGINE: 'kurrentdb',
          WAYBILL_LOG_URL: server.url(),
          WAYBILL_NODES_NAME: name,
          WAYBILL_NODES_BEAT_MS: String(beatMs),
          WAYBILL_NODES_TTL_MS: String(ttlMs),
        },
      });
    const [one, two, copy] = [await make('one'), await make('two'), await make('two')];
    const ledger = openLedger();
    let going = true;
    try {
      await Promise.all([one.start(), two.start()]);
      const working = async () =>
        (await nodesOf(two)).filter(({ status }) => status === 'open').map(({ node }) => node);
      await until(async () => (await working()).length === 2, 'both nodes');
      const leases = [...server.store.names()].filter((name) => name.startsWith('lease-'));
      expect(leases.map((name) => server.store.stream(name)!.most)).toEqual([50, 50]);
      // A second engine on a data directory in use would take its own neighbour's lease: it must not start.
      const refused = copy.waybill('--data', two.dataDir, 'serve');
      const sending = load(ledger, {
        port: one.port,
        ...{ sessions: 4, from: 'demo@demo.test', to: (n: number) => `user${n}@sink.test` },
        goOn: () => going,
      });
      await until(() => ledger.accepted.size > 60, 'letters');
      const killedAt = Date.now();
      await one.kill('start', 'queue', 'door', 'remote', 'local');
      going = false;
      await sending;
      await until(
        async () =>
          (await nodesOf(two)).every(({ node, letters }) => node === 'two' || letters === 0),
        'the letters to be adopted',
        60_000,
      );
      expect(Date.now() - killedAt).toBeGreaterThan(ttlMs - beatMs);
      const adopted = await two.waybill('log', '--type', 'MessageAdopted', '--limit', '1');
      expect(adopted.stdout).not.toBe('');
      // Put-off letters are tried again by the other; an operator may ask there, too.
      sink.answers = {};
      two.signal('SIGALRM');
      const inDoubt = async () =>
        (await two.waybill('queue', '--json')).stdout.split('\n').filter((line) => line !== '');
      await until(
        async () => (await inDoubt()).every((line) => line.includes('doubtfulAt')),
        'all that can be delivered',
      );
      // The machine is back: what it had begun is surely over, and tried again at once.
      await one.start();
      await until(async () => (await working()).length === 2, 'both nodes again');
      await until(async () => (await inDoubt()).length === 0, 'what was in doubt');
      const times = new Map<string, number>();
      for (const { body } of sink.letters) {
        const token = tokenOf(body)!;
        times.set(token, (times.get(token) ?? 0) + 1);
      }
      expect([...ledger.accepted.keys()].filter((token) => !times.has(token))).toEqual([]);
      const doubts = await verified(two);
      const twice = [...ledger.accepted].filter(([token]) => times.get(token)! > 1);
      expect(twice.filter(([, id]) => !doubts.includes(`in doubt: ${id}`))).toEqual([]);
      // A process that stands still for longer than its lease finds it gone, and begins anew.
      const stopped = one.pids().find(({ role }) => role === 'queue')!.pid;
      process.kill(stopped, 'SIGSTOP');
      await until(async () => (await working()).length === 1, 'its lease to be taken');
      process.kill(stopped, 'SIGCONT');
      await until(() => one.output().includes('another node has taken our lease'), 'it to hear so');
      await until(async () => (await working()).length === 2, 'its next life');
      // Told to stop, a node leaves its letters to the others within a few beats.
      sink.answers = { data: () => '451 later' };
      expect(
        await handIn(one.port, {
          from: 'a@b.test',
          to: ['x@sink.test'],
          body: 'Subject: x\r\n\r\n',
        }),
      ).toMatch(/^250/);
      await one.stop();
      await until(async () => {
        const lines = await nodesOf(two);
        return (
          lines.at(-1)!.status === 'taken' ||
          lines.every(({ node, letters }) => node === 'two' || letters === 0)
        );
      }, 'the stopped node’s letter');
      sink.answers = {};
      two.signal('SIGALRM');
      await until(async () => (await inDoubt()).length === 0, 'the last letter');
      expect(await verified(two)).toMatch(/letters accepted: .* done, 0 open/);
      const { code, stderr } = await refused;
      expect([code, stderr]).toEqual([111, expect.stringContaining('is locked')]);
      expect(two.output()).not.toContain('another node has taken our lease');
    } finally {
      going = false;
      await Promise.all([one.remove(), two.remove(), copy.remove()]);
      await sink.shut();
      await server.stop();
    }
  }, 240_000);
});
