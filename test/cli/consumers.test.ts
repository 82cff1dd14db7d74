import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isConsumerName } from '../../src/consumers/names.ts';
import { seeded } from '../support/seeded.ts';
import { until } from '../support/until.ts';
import { openOffice, type Office } from '../trace/office.ts';
import { jsonLines, startWaybill, waybill } from './run.ts';

const here = import.meta.dirname;
const main = resolve(here, '../../src/cli/main.ts');

let office: Office;
const children: ChildProcess[] = [];
beforeEach(async () => {
  office = await openOffice();
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await office.remove();
});

const run = (...args: readonly string[]) => waybill(office.path, ...args);
const standing = () => jsonLines(run('consumers', '--json').stdout);
const checkpointOf = (name: string) => join(office.path, 'consumers', name);
const numbers = (text: string) => text.trimEnd().split('\n').map(Number);
const upTo = (last: number) => Array.from({ length: last }, (_, n) => n + 1);

async function accept(letters: number): Promise<void> {
  for (let n = 0; n < letters; n += 1) await office.accept([`rcpt${n}@b.test`]);
}

/** A process that reads our lines with answers. */
function answering(...args: readonly string[]) {
  const words = [main, '--data', office.path, 'log', '--ack', '--checkpoint', 'a', ...args];
  const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'pipe'] });
  children.push(child);
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { child, ended, lines: () => jsonLines(text.slice(0, text.lastIndexOf('\n') + 1)) };
}

/** One that could not have the name yet has ended by itself. */
function killIfThere(pid: number): void {
  try {
    if (pid > 1) process.kill(pid, 'SIGKILL');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ESRCH') throw cause;
  }
}

describe('a consumer that answers', () => {
  it('misses no event and keeps none twice, however often it or the follower is killed', async () => {
    const chance = seeded(Number(process.env['WAYBILL_SEED'] ?? 7));
    const file = office.dir.file('heard');
    let reader: ChildProcess | undefined;
    let follower = 0;
    const start = (): void => {
      const args = [join(here, 'answering-reader.ts'), office.path, file, main];
      reader = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      children.push(reader);
      reader.stdout!.on('data', (chunk: Buffer) => {
        const pid = /follower (\d+)\n$/.exec(chunk.toString())?.[1];
        if (pid !== undefined) follower = Number(pid);
      });
    };
    start();
    let kills = 0;
    const turn = () => new Promise((done) => setTimeout(done, 15));
    const post = async () => {
      const event = { type: 'Knocked', v: 1, at: 1, data: { text: 'x'.repeat(200) } };
      for (let revision = -1; revision < 4_000; revision += 30) {
        // Each kill falls among events, and no machine is too quick or too slow for so many.
        while (kills < 10 && revision > 400 * kills + 300) await turn();
        await office.log.append('door-a-1', revision, Array<typeof event>(30).fill(event));
        await turn();
      }
    };
    const posting = post();
    const heard = () => (existsSync(file) ? numbers(readFileSync(file, 'latin1')) : []);
    try {
      for (; kills < 10; kills += 1) {
        const before = heard().length;
        await until(() => heard().length > before + chance.below(100), 'some events to be heard');
        if (kills % 2 === 1) {
          reader!.kill('SIGKILL');
          start();
        } else killIfThere(follower);
      }
    } finally {
      kills = 10;
      await posting;
    }
    const head = await office.log.head();
    expect(head).toBeGreaterThan(2_000);
    await until(() => heard().at(-1) === head, 'everything to be heard');
    expect(heard()).toEqual(upTo(head));
    await until(() => standing()[0]?.['behind'] === 0, 'the last answers');
    // Ends by itself when nobody answers any more.
    reader!.kill('SIGKILL');
    await until(() => standing()[0]?.['held'] === false, 'the follower to let go');
    expect(standing()).toMatchObject([{ name: 'reader', behind: 0 }]);
  });

  it('goes on behind what it has answered for, and hears the rest again', async () => {
    await accept(10);
    const { child, ended, lines } = answering('--follow');
    await until(() => lines().length === 22, 'all events');
    child.stdin.write('7\n');
    await until(() => standing()[0]?.['position'] === 7, 'the position to be kept');
    child.kill('SIGKILL');
    await ended;
    const again = answering();
    await until(() => again.lines().length === 15, 'the rest');
    expect(again.lines()[0]).toMatchObject({ position: 8 });
    again.child.stdin.end('22\n');
    expect(await again.ended).toBe(0);
    expect(standing()).toMatchObject([{ name: 'a', position: 22, behind: 0, held: false }]);
  });

  it('need not answer for events that it did not want', async () => {
    await accept(3);
    const { child, ended, lines } = answering('--type', 'MessageQueued');
    await until(() => lines().length === 3, 'all events');
    child.stdin.end(`${String(lines()[2]!['position'])}\n`);
    expect(await ended).toBe(0);
    expect(standing()).toMatchObject([{ behind: 0 }]);
  });

  it('is not believed when it answers what was not asked', async () => {
    for (const nonsense of ['99999', '-1', 'yes\u001b[31m']) {
      const { child, ended } = answering();
      child.stdin.end(`${nonsense}\n`);
      expect(await ended).toBe(100);
    }
    expect(standing()).toMatchObject([{ position: 0 }]);
  });
});

describe('a consumer that does not answer', () => {
  it('has handled what is in its file, and hears nothing twice', async () => {
    const file = office.dir.file('heard');
    for (const letters of [5, 7]) {
      await accept(letters);
      const fd = openSync(file, 'a');
      const args = ['--data', office.path, 'log', '--checkpoint', 'file'];
      const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', fd, 'inherit'] });
      expect((await once(child, 'close'))[0]).toBe(0);
      closeSync(fd);
    }
    const heard = jsonLines(readFileSync(file, 'utf8')).map(({ position }) => position);
    expect(heard).toEqual(upTo(26));
  });

  it('has not handled what may still lie in a pipe', async () => {
    await accept(5);
    for (let times = 0; times < 2; times += 1) {
      const { stdout } = run('log', '--checkpoint', 'pipe');
      expect(jsonLines(stdout)).toHaveLength(12);
    }
    expect(standing()).toMatchObject([{ name: 'pipe', position: 0, behind: 12 }]);
  });
});

describe('waybill consumers', () => {
  it('lets one process have a name', async () => {
    const child = startWaybill(office.path, 'log', '--follow', '--checkpoint', 'one');
    children.push(child);
    await once(child.stdout!, 'data');
    const second = run('log', '--checkpoint', 'one');
    expect([second.code, second.stderr]).toEqual([
      111,
      'waybill: another process holds the checkpoint one\n',
    ]);
    expect(standing()).toMatchObject([{ name: 'one', held: true }]);
    expect(run('consumers').stdout).toMatch(/^one {2}at event 0, 2 events behind, .*, running\n$/);
    expect(run('consumers', 'forget', 'one').code).toBe(111);
    child.kill('SIGTERM');
    await once(child, 'close');
    expect(run('consumers', 'forget', 'one').code).toBe(0);
    expect(run('consumers').stdout).toBe('There are no consumers.\n');
    expect(run('consumers', 'forget', 'one').code).toBe(100);
  });

  it('refuses a position of another log, and a file that is none', async () => {
    await accept(1);
    run('log', '--checkpoint', 'lost');
    const other = { position: 3, event: { stream: 'message-x', revision: 0, at: 1 }, savedAt: 1 };
    writeFileSync(checkpointOf('lost'), JSON.stringify({ format: 'waybill consumer 1', ...other }));
    const foreign = run('log', '--checkpoint', 'lost');
    expect([foreign.code, foreign.stdout]).toEqual([100, '']);
    expect(foreign.stderr).toContain('it is of another log');
    writeFileSync(checkpointOf('lost'), 'rubbish');
    expect(run('log', '--checkpoint', 'lost').code).toBe(100);
  });

  it('names a damaged file among the others, and says so in the end', () => {
    for (const name of ['a', 'c']) run('log', '--checkpoint', name);
    writeFileSync(checkpointOf('b'), 'rubbish');
    mkdirSync(checkpointOf('d'));
    const { code, stdout, stderr } = run('consumers');
    expect([code, stderr]).toEqual([100, 'waybill: 2 of 4 consumers cannot be read\n']);
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^a {2}at event 0/),
      expect.stringMatching(/^b {2}.*is not a consumer's checkpoint/),
      expect.stringMatching(/^c {2}at event 0/),
      expect.stringMatching(/^d {2}EISDIR/),
      '',
    ]);
    expect(standing()).toMatchObject([
      { name: 'a', behind: 2 },
      { name: 'b', trouble: expect.stringContaining("is not a consumer's checkpoint") },
      { name: 'c', behind: 2 },
      { name: 'd', trouble: expect.stringContaining('EISDIR') },
    ]);
    expect(run('consumers', 'forget', 'b').code).toBe(0);
  });

  it('takes no name that leads elsewhere', () => {
    const names = ['../up', '.hidden', 'a/b', '', 'x'.repeat(65), 'a.lock', 'a\n'];
    expect(names.filter(isConsumerName)).toEqual([]);
    expect(run('log', '--checkpoint', '../up').code).toBe(100);
  });
});
