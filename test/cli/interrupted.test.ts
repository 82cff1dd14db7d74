/** Ctrl-C for whoever follows an event store that does not answer. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { openStandIn } from '../support/kurrent/open.ts';
import { tempDir, type TempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const main = resolve(import.meta.dirname, '../../src/cli/main.ts');
let dir: TempDir;
let store: Awaited<ReturnType<typeof openStandIn>>;
let child: ChildProcess;
let text: string;
let ended: Promise<readonly [number | null, string | null]>;

beforeEach(async () => {
  dir = tempDir();
  store = await openStandIn();
  writeFileSync(
    dir.file('waybill.toml'),
    `[log]\nengine = "kurrentdb"\nurl = "${store.server.url()}"\n`,
  );
  await append(0);
});
afterEach(async () => {
  child.kill('SIGKILL');
  store.server.faults.silentReads = 0;
  await store.close();
  dir.remove();
});

const append = (no: number) =>
  store.log.append('node-here-1', no - 1, [
    { type: 'NodeStopped', v: 1, at: 1_000, data: { why: `no ${no}` } },
  ]);

async function follow(...args: readonly string[]): Promise<void> {
  const places = ['--config', dir.path, '--data', dir.path];
  child = spawn(process.execPath, [main, ...places, 'log', '--follow', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  text = '';
  child.stdout!.on('data', (chunk: Buffer) => (text += chunk.toString()));
  ended = new Promise((done) => child.once('close', (code, signal) => done([code, signal])));
  await until(() => text.includes('no 0'), 'the first event');
}

/** Nothing is answered from here on, and it has asked. */
async function fallSilent(): Promise<void> {
  const { faults } = store.server;
  // It is told of this one: from now on only pages are read.
  await append(1);
  await until(() => text.includes('no 1'), 'the second event');
  faults.silentReads = 1_000;
  await append(2);
  await until(() => faults.silentReads < 1_000, 'a question');
}

describe('waybill log --follow over an event store that hangs', () => {
  it('ends at once, by that signal, and leaves its checkpoint sound', async () => {
    await follow('--checkpoint', 'reader');
    await fallSilent();
    const at = performance.now();
    child.kill('SIGINT');
    expect(await ended).toEqual([null, 'SIGINT']);
    expect(performance.now() - at).toBeLessThan(4_000);
    const kept = readFileSync(dir.file('consumers/reader'), 'utf8');
    expect(() => JSON.parse(kept) as unknown).not.toThrow();
  });

  it('ends in order while it answers', async () => {
    await follow();
    child.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
  });
});
