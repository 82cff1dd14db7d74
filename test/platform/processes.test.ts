import { describe, expect, it } from '@jest/globals';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock, systemClock } from '../../src/platform/clock.ts';
import type { Command } from '../../src/platform/processes.ts';
import { systemProcesses } from '../../src/platform/system-processes.ts';

const shell = (script: string, more: Partial<Command> = {}): Command => ({
  file: '/bin/sh',
  args: ['-c', script],
  cwd: '/',
  env: { PATH: '/usr/bin:/bin' },
  timeoutMs: 10_000,
  maxOutputBytes: 100,
  ...more,
});
const run = (script: string, more?: Partial<Command>) =>
  systemProcesses({ clock: systemClock }).run(shell(script, more));
const text = (output: Uint8Array) => new TextDecoder().decode(output);

/** Waits until a process has gone; init reaps those whose parent went first. */
async function gone(pid: number): Promise<void> {
  const alive = () => {
    try {
      return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
    } catch {
      return false;
    }
  };
  while (alive()) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Looks only after a turn of the loop: the time limit is set by then, however fast the program is. */
async function appears(path: string): Promise<void> {
  do await new Promise((resolve) => setTimeout(resolve, 5));
  while (!existsSync(path));
}

describe('a program', () => {
  it('ends with its exit code and what it said', async () => {
    const ended = await run('echo "$WHO in $PWD"; exit 3', { cwd: '/usr', env: { WHO: 'joe' } });
    expect(ended).toMatchObject({ how: 'exit', code: 3 });
    expect(text(ended.output)).toBe('joe in /usr\n');
  });

  it('reads an open file, and nothing without one', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'processes-'));
    writeFileSync(join(directory, 'letter'), 'hello\n');
    const stdin = openSync(join(directory, 'letter'), 'r');
    expect(text((await run('cat', { stdin })).output)).toBe('hello\n');
    expect(text((await run('cat')).output)).toBe('');
    closeSync(stdin);
    rmSync(directory, { recursive: true });
  });

  it('may talk without end, of which the start is kept', async () => {
    const ended = await run('yes | head -c 1000000; exit 0');
    expect(ended).toMatchObject({ how: 'exit', code: 0 });
    expect(ended.output).toHaveLength(100);
  });

  it('says which signal killed it', async () => {
    expect(await run('kill -9 $$')).toMatchObject({ how: 'signal', signal: 'SIGKILL' });
  });

  it('that cannot be started gives the error of the system', async () => {
    await expect(run('', { file: '/nonexistent' })).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(run('', { cwd: '/nonexistent' })).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is not waited for on behalf of what it leaves in the background', async () => {
    const ended = await run('sleep 30 & echo $!');
    expect(ended).toMatchObject({ how: 'exit', code: 0 });
    const left = Number(text(ended.output));
    process.kill(left, 'SIGKILL');
    await gone(left);
  });

  it('that runs out of time is ended with all it started', async () => {
    const clock = new ManualClock();
    const directory = mkdtempSync(join(tmpdir(), 'processes-'));
    const ready = join(directory, 'pid');
    const running = systemProcesses({ clock }).run(
      shell(`sleep 1000 & echo $! > '${ready}.new'; mv '${ready}.new' '${ready}'; wait`),
    );
    await appears(ready);
    const child = Number(readFileSync(ready, 'utf8'));
    clock.advance(10_000);
    expect((await running).how).toBe('stopped');
    await gone(child);
    rmSync(directory, { recursive: true });
  });

  it('that does not listen to TERM is made to end two seconds later', async () => {
    const clock = new ManualClock();
    const directory = mkdtempSync(join(tmpdir(), 'processes-'));
    const ready = join(directory, 'ready');
    const running = systemProcesses({ clock }).run(
      shell(`trap '' TERM; : > '${ready}'; while :; do sleep 0.05; done`),
    );
    await appears(ready);
    clock.advance(10_000);
    clock.advance(2_000);
    expect((await running).how).toBe('stopped');
    rmSync(directory, { recursive: true });
  });

  it('can be called off, before it starts or later', async () => {
    const caller = new AbortController();
    const running = systemProcesses({ clock: systemClock }).run(shell('sleep 1000'), caller.signal);
    caller.abort();
    expect((await running).how).toBe('stopped');
    const late = systemProcesses({ clock: systemClock }).run(shell('sleep 1000'), caller.signal);
    expect((await late).how).toBe('stopped');
  });
});
