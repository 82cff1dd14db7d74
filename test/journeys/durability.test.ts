/** What the kernel is asked for, and in which order: seen with strace from outside, as an auditor would. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeEngine, type Engine, type Role } from '../support/engine.ts';
import { load, openLedger } from '../support/ledger.ts';
import { handIn } from '../support/smtp-talk.ts';
import { until } from '../support/until.ts';

const canTrace = spawnSync('strace', ['-e', 'trace=none', 'true']).status === 0;
const withStrace = canTrace ? describe : describe.skip;

let engine: Engine;

beforeAll(async () => {
  engine = await makeEngine();
  await engine.start();
});

afterAll(() => engine.remove());

const pidOf = (role: Role): number => engine.pids().find((each) => each.role === role)!.pid;

/** The queue writes from a thread of its own. */
const threadsOf = (role: Role): string[] => readdirSync(`/proc/${pidOf(role)}/task`);

/** Watches processes while `work` runs; returns the lines of strace in order of time. */
async function trace(roles: readonly Role[], work: () => Promise<unknown>): Promise<string[]> {
  const file = join(engine.root, `trace-${roles.join('-')}`);
  const attach = roles.flatMap((role) => ['-p', String(pidOf(role))]);
  const calls = 'trace=fsync,fdatasync,write,writev,pwrite64';
  const args = ['-f', '-ttt', '-s', '400', '-e', calls, '-o', file, ...attach];
  const child: ChildProcess = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr!.on('data', (chunk: Buffer) => (said += chunk.toString()));
  try {
    await until(() => said.split('attached').length > roles.length, 'strace to be attached');
    await work();
  } finally {
    const ended = new Promise((done) => child.once('exit', done));
    child.kill('SIGINT');
    await ended;
  }
  return readFileSync(file, 'utf8').split('\n');
}

withStrace('seen with strace', () => {
  it('body and event are forced to disk before the door writes 250', async () => {
    const lines = await trace(['queue', 'door'], () =>
      handIn(engine.port, {
        from: 'a@b.test',
        to: ['demo@demo.test'],
        body: 'Subject: traced\r\n\r\nthe body\r\n',
      }),
    );
    const find = (pattern: RegExp, from = 0) =>
      lines.findIndex((line, n) => n >= from && pattern.test(line));
    const asked = find(/writev?\(.*accept/);
    // The write-ahead log gets body and event, then one sync makes them last.
    const body = find(/pwrite64\(/, asked);
    // Its end counts, not its beginning.
    const synced = find(/f(data)?sync(\(| resumed>).*= 0/, body);
    const answered = find(/writev?\(.*250 2\.0\.0 ok/, asked);
    expect(asked).toBeGreaterThan(-1);
    expect(body).toBeGreaterThan(asked);
    expect(synced).toBeGreaterThan(body);
    expect(answered).toBeGreaterThan(synced);
    expect(threadsOf('queue')).toContain(lines[synced]!.match(/^(?:\[pid +)?([0-9]+)/)?.[1]);
  });

  it('twenty senders share syncs: fewer than three for ten letters', async () => {
    const ledger = openLedger();
    let going = true;
    const lines = await trace(['queue'], async () => {
      const loading = load(ledger, {
        ...{ port: engine.port, sessions: 20, from: 'a@b.test', bodyBytes: 4_000 },
        // Nobody answers there: what counts is accepting and deferring.
        to: (n) => `u${n}@[127.0.0.9]`,
        goOn: () => going && ledger.accepted.size < 1_000,
      });
      await loading;
      going = false;
    });
    const syncs = lines.filter((line) => /f(data)?sync\(/.test(line)).length;
    expect(ledger.accepted.size).toBeGreaterThanOrEqual(1_000);
    expect(syncs / ledger.accepted.size).toBeLessThan(0.3);
  });
});
