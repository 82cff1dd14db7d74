/** What is called with a node that is too old runs under the newer one, and nobody outside sees a difference. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { shellWord } from '../support/shell-word.ts';
import { tempDir, type TempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const cli = resolve(import.meta.dirname, '../../src/cli');
const launcher = join(cli, 'programs/launch.mjs');

/** Loaded before a program, it makes this node say that it is an old one. */
const makeOld = `data:text/javascript,Object.defineProperty(process, 'versions', {
  value: { ...process.versions, node: '20.20.2' } })`.replace(/\s+/g, ' ');

let dir: TempDir;
beforeEach(() => {
  dir = tempDir();
});
afterEach(() => dir.remove());

const oldNode = (...args: readonly string[]): ChildProcessWithoutNullStreams =>
  spawn(process.execPath, ['--import', makeOld, ...args], { cwd: dir.path });

/** `close` comes when nobody has its output open any more: the program behind it is gone, too. */
async function endOf(child: ChildProcessWithoutNullStreams) {
  const [[code, signal], stdout, stderr] = await Promise.all([
    once(child, 'close') as Promise<[number | null, string | null]>,
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code, signal, stdout, stderr };
}

/** Hands over to a program that says what it hears, and its node. */
const listening = (): ChildProcessWithoutNullStreams => oldNode(listeningScript());

function listeningScript(): string {
  const program = dir.file('program.mjs');
  writeFileSync(
    program,
    `for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGALRM', 'SIGQUIT'])
       process.on(signal, () => console.log(signal));
     process.stdin.on('data', (bytes) => console.log('read ' + bytes.toString().trim()));
     process.stdin.on('end', () => process.exit(37));
     console.log('ready', process.versions.node.split('.')[0], process.argv.slice(2).join());`,
  );
  const script = dir.file('script.mjs');
  writeFileSync(
    script,
    `const { handOver } = await import(${JSON.stringify(join(cli, 'newer-node.mjs'))});
    await handOver('it', ${JSON.stringify(program)}, ['a b', 'c']);`,
  );
  return script;
}

/** The newer node has been started. */
const isUnderWay = ({ pid }: ChildProcessWithoutNullStreams): Promise<unknown> =>
  until(() => readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').length > 0, 'a child');

async function hears(child: ChildProcessWithoutNullStreams, line: string): Promise<void> {
  for (let heard = ''; !heard.includes(`${line}\n`);) {
    const [bytes] = (await once(child.stdout, 'data')) as [Buffer];
    heard += bytes.toString();
  }
}

describe('a program called with an old node', () => {
  it('hears each signal once, reads what is written, and its exit code comes back', async () => {
    const child = listening();
    const end = endOf(child);
    await hears(child, 'ready 24 a b,c');
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGALRM', 'SIGQUIT'] as const) {
      child.kill(signal);
      await hears(child, signal);
    }
    child.stdin.write('a letter\n');
    await hears(child, 'read a letter');
    child.stdin.end();
    const { stdout, ...how } = await end;
    expect(how).toEqual({ code: 37, signal: null, stderr: '' });
    expect(stdout.match(/SIG/g)).toHaveLength(5);
  });

  (existsSync('/usr/bin/script') ? it : it.skip)(
    'hears once what is typed at its terminal (script)',
    async () => {
      const words = [process.execPath, '--import', makeOld, listeningScript()];
      const command = words.map(shellWord).join(' ');
      // With exec, no shell stands between: dash ends with 130 after an interrupt that its child lived through.
      const child = spawn('script', ['-qfec', `exec ${command}`, dir.file('typescript')], {
        cwd: dir.path,
        env: { ...process.env, SHELL: '/bin/sh' },
      });
      const end = endOf(child);
      await hears(child, 'ready 24 a b,c\r');
      child.stdin.write('\x03');
      await hears(child, 'SIGINT\r');
      child.stdin.write('one more\n');
      await hears(child, 'read one more\r');
      child.stdin.end('\x04');
      const { code, stdout } = await end;
      expect({ code, heard: stdout.match(/SIGINT/g) }).toEqual({ code: 37, heard: ['SIGINT'] });
    },
  );

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'dies of %s as it would have done without the old one',
    async (signal) => {
      // It reads its letter from us, and waits for it.
      const child = oldNode(launcher, 'mailsubj', 'hello', 'joe@b.test');
      const end = endOf(child);
      await isUnderWay(child);
      child.kill(signal);
      // Nothing was said about a letter that ended too soon: it was not left behind.
      expect(await end).toEqual({ code: null, signal, stdout: '', stderr: '' });
    },
  );

  it.each([
    ['waybill', 0, [join(cli, 'waybill.mjs'), '--version']],
    ['except', 100, [launcher, 'except', 'true']],
    ['tcprulescheck', 111, [launcher, 'tcprulescheck', 'no-such.cdb', '1.2.3.4']],
  ])('%s ends with %i', async (_name, code, args) => {
    expect(await endOf(oldNode(...args))).toMatchObject({ code, signal: null });
  });

  const old = '/usr/bin/node';
  const isOld =
    existsSync(old) &&
    Number(spawnSync(old, ['-p', 'process.versions.node.split(".")[0]']).stdout) < 24;
  (isOld ? it : it.skip)(`runs, called with a node that really is old (${old})`, () => {
    const { status, stdout } = spawnSync(old, [join(cli, 'waybill.mjs'), '--version'], {
      encoding: 'utf8',
    });
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+/) });
  });
});
