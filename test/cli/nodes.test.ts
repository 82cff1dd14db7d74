/** `waybill nodes` on an event store without any engine: who is there, and an operator’s word that one is gone. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import type { KurrentLog } from '../../src/log/kurrentdb/kurrent-log.ts';
import { noStream } from '../../src/log/ports.ts';
import { leaseStream, type LeaseEvent } from '../../src/nodes/events.ts';
import { openStandIn } from '../support/kurrent/open.ts';
import type { StandIn } from '../support/kurrent/stand-in.ts';
import { tempDir, type TempDir } from '../support/temp-dir.ts';
import { jsonLines, type Ran } from './run.ts';

const main = resolve(import.meta.dirname, '../../src/cli/main.ts');
const [dead, twice, alive] = ['019b7654-0c00-7000', '019b7654-0c01-7000', '019b7654-0c02-7000'].map(
  (start) => `${start}-8000-000000000001`,
) as [string, string, string];

let dir: TempDir;
let server: StandIn;
let log: KurrentLog;
let close: () => Promise<void>;
beforeAll(async () => {
  dir = tempDir();
  ({ server, log, close } = await openStandIn());
  for (const [incarnation, node] of [
    [dead, 'one'],
    [twice, 'two'],
    [alive, 'two'],
  ] as const) {
    const data = { node, home: incarnation, beatMs: 300, ttlMs: 900 };
    await say(incarnation, { type: 'LeaseOpened', v: 1, at: 0, data }, noStream);
  }
});
afterAll(async () => {
  await close();
  dir.remove();
});

const say = (incarnation: string, event: LeaseEvent, revision: number) =>
  log.append(leaseStream(incarnation), revision, [event]);

/** A process of its own, while this one serves the event store. */
async function waybill(...args: readonly string[]): Promise<Ran> {
  const env = { ...process.env, WAYBILL_LOG_ENGINE: 'kurrentdb', WAYBILL_LOG_URL: server.url() };
  const config = join(import.meta.dirname, '../../config');
  const places = ['--config', config, '--data', dir.path];
  const child = spawn(process.execPath, [main, ...places, ...args], { env });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const code = await new Promise<number | null>((done) => child.once('close', done));
  return { code, stdout, stderr };
}

const last = async (incarnation: string) => (await log.readStream(leaseStream(incarnation))).at(-1);

describe('a node', () => {
  it('is declared gone by its name, with who and why, once; then it is over', async () => {
    const ran = await waybill('nodes', '--gone', 'one', '--why', 'sold', '--by', 'eve', '--json');
    expect(jsonLines(ran.stdout)).toEqual([
      { incarnation: dead, node: 'one', declared: true, by: 'eve', why: 'sold' },
    ]);
    expect(ran.code).toBe(0);
    expect(await last(dead)).toMatchObject({
      ...{ type: 'LeaseDeclaredGone', revision: 1, data: { by: 'eve', why: 'sold' } },
    });
    const again = await waybill('nodes', '--gone', 'one');
    expect([again.code, again.stderr]).toEqual([100, expect.stringContaining('nothing of it')]);
    const shown = await waybill('nodes');
    expect(shown.stdout).toMatch(/one: ended .*; declared gone by eve \(sold\)/);
  });

  it('that beats is not, and another life of its name is', async () => {
    let revision = 0;
    const beating = setInterval(() => {
      const data = { count: 1, open: 0, position: 0 };
      void say(alive, { type: 'LeaseBeat', v: 1, at: 0, data }, revision);
      revision += 1;
    }, 50);
    try {
      const ran = await waybill('nodes', '--gone', 'two', '--json');
      expect(jsonLines(ran.stdout)).toMatchObject([
        { incarnation: twice, declared: true },
        { incarnation: alive, declared: false },
      ]);
      expect(ran.code).toBe(0);
      const refused = await waybill('nodes', '--gone', alive.slice(0, 20));
      expect([refused.code, refused.stdout]).toEqual([
        100,
        `${alive}  two: has spoken meanwhile, and is not gone\n`,
      ]);
    } finally {
      clearInterval(beating);
    }
    expect((await last(alive))!.type).toBe('LeaseBeat');
  });

  it('that nobody knows is told so', async () => {
    const { code, stderr } = await waybill('nodes', '--gone', 'seven');
    expect([code, stderr]).toEqual([100, expect.stringContaining('no node is called seven')]);
  });
});
