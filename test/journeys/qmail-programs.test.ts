/** Programs that people's .qmail files and scripts call, found by name in a running engine's deliveries; Debian's filters behind preline. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, makeEngine, type Engine } from '../support/engine.ts';
import { handIn } from '../support/smtp-talk.ts';
import { until } from '../support/until.ts';

/** Started by root, an engine runs no programs for users without a number of their own. */
const somebody = 65_534;
const isRoot = process.getuid?.() === 0;
const canBeSomebody =
  !isRoot ||
  spawnSync(process.execPath, ['--version'], { uid: somebody, gid: somebody, cwd: '/' }).status ===
    0;
const withPrograms = canBeSomebody
  ? describe
  : (name: string, work: () => void) =>
      describe.skip(`${name} (node cannot be run by others)`, work);

let engine: Engine;
let home: string;
/** Nobody listens there. */
let deadPort: number;

beforeAll(async () => {
  deadPort = await freePort();
  engine = await makeEngine({
    ...(isRoot && canBeSomebody ? { uid: somebody } : {}),
    control: { defaulthost: 'demo.test\n', smtproutes: `dead.test:127.0.0.1:${deadPort}\n` },
  });
  await engine.start();
  home = join(engine.dataDir, 'mail/demo');
  await send('demo@demo.test', 'first');
  await mail('first');
});

afterAll(() => engine.remove());

/** A file of demo's, as his own editor would leave it. */
function put(name: string, text: string): string {
  const path = join(home, name);
  writeFileSync(path, text, { mode: 0o600 });
  if (isRoot && canBeSomebody) chownSync(path, somebody, somebody);
  return path;
}

const send = (to: string, subject: string, from = 'you@example.org') =>
  handIn(engine.port, { from, to: [to], body: `Subject: ${subject}\r\n\r\nhi\r\n` });

const holding = (subject: string) => (text: string) => text.includes(`Subject: ${subject}\n`);

/** The letter of this subject in demo's Maildir. */
const mail = (subject: string) =>
  until(
    () =>
      engine
        .maildir('demo')
        .map((file) => readFileSync(file, 'latin1'))
        .find(holding(subject)),
    `${subject} in the Maildir`,
    60_000,
  );

const inFile = (path: string, subject: string) =>
  until(
    () => existsSync(path) && [readFileSync(path, 'latin1')].find(holding(subject)),
    `${subject} in ${path}`,
    60_000,
  );

/** As a shell in the machine calls it. */
const call = (name: string, args: readonly string[] = [], input = '') => {
  const { status, stdout, stderr } = spawnSync(join(engine.dataDir, 'bin', name), args, {
    ...{ input, encoding: 'utf8' },
    env: {
      PATH: process.env['PATH'],
      WAYBILL_CONFIG: engine.configDir,
      WAYBILL_DATA: engine.dataDir,
    },
  });
  return { status, stdout: stdout.replace(/qp \d+/, 'qp N'), stderr };
};

const filterTest = (program: string) =>
  existsSync(`/usr/bin/${program}`)
    ? it
    : (name: string, work: () => Promise<void>) => it.skip(`${name} (no ${program} here)`, work);

withPrograms('a .qmail file', () => {
  filterTest('procmail')('gives a letter to procmail, with the lines that it needs', async () => {
    const box = join(home, 'by-procmail');
    const rc = put('procmailrc', `MAILDIR=${home}\n:0\n* ^Subject: to procmail\n${box}\n`);
    put('.qmail-procmail', `|preline procmail -m ${rc}\n`);
    await send('demo-procmail@demo.test', 'to procmail');
    expect(await inFile(box, 'to procmail')).toMatch(
      /^From you@example\.org .*\nReturn-Path: <you@example\.org>\nDelivered-To: demo-procmail@demo\.test\nReceived:/,
    );
  });
  filterTest('maildrop')('gives a letter to maildrop', async () => {
    const box = join(home, 'by-maildrop');
    const filter = put('mailfilter', `to "${box}"\n`);
    put('.qmail-maildrop', `|preline -f maildrop ${filter}\n`);
    await send('demo-maildrop@demo.test', 'to maildrop');
    expect(await inFile(box, 'to maildrop')).toContain('Delivered-To: demo-maildrop@demo.test\n');
  });
  it('sends some letters back with a word of its own', async () => {
    put(
      '.qmail-picky',
      '|bouncesaying "not a word" except grep -q "^Subject: please"\n./Maildir/\n',
    );
    await send('demo-picky@demo.test', 'please');
    expect(await mail('please')).toContain('Delivered-To: demo-picky@demo.test\n');
    await send('demo-picky@demo.test', 'hey', 'demo@demo.test');
    const bounce = await mail('failure notice');
    expect(bounce).toContain('<demo-picky@demo.test>:\nnot a word\n\n');
    expect(bounce).toContain('Subject: hey\n');
  });
  it('redirects some letters, and keeps the others', async () => {
    put(
      '.qmail-cond',
      `|condredirect demo-urgent@demo.test grep -q "^Subject: urgent"\n./Maildir/\n`,
    );
    put('.qmail-urgent', './urgent\n');
    await send('demo-cond@demo.test', 'urgent');
    const text = await inFile(join(home, 'urgent'), 'urgent');
    expect(text).toContain('Delivered-To: demo-cond@demo.test\n');
    expect(text).toContain('Return-Path: <you@example.org>\n');
    await send('demo-cond@demo.test', 'whenever');
    await mail('whenever');
    expect(
      engine
        .maildir('demo')
        .map((file) => readFileSync(file, 'latin1'))
        .some(holding('urgent')),
    ).toBe(false);
  });
});

describe('a script', () => {
  it('delivers with qmail-local, and forwards through the engine', async () => {
    put('.qmail-script', './by-script\n&demo@demo.test\n');
    const args = ['demo', home, 'demo-script', '-', 'script', 'demo.test', 's@y.z', './Maildir/'];
    expect(call('qmail-local', args, 'Subject: by script\n\nx\n')).toEqual({
      ...{ status: 0, stderr: '', stdout: 'did 1+1+0\nqp N\n' },
    });
    await inFile(join(home, 'by-script'), 'by script');
    expect(await mail('by script')).toContain('Delivered-To: demo-script@demo.test\n');
    expect(call('qmail-local', ['-n', ...args]).stdout).toBe(
      'mbox ./by-script\nforward demo@demo.test\ndid 1+1+0\n',
    );
  });
  it('sends with qmail-remote', async () => {
    const routes = join(engine.configDir, 'control/smtproutes');
    writeFileSync(routes, `demo.test:127.0.0.1:${engine.port}\ndead.test:127.0.0.1:${deadPort}\n`);
    const args = ['demo.test', 's@y.z', 'demo@demo.test'];
    const { status, stdout } = call('qmail-remote', args, 'Subject: remotely\n\nx\n');
    expect([status, stdout]).toEqual([
      0,
      expect.stringMatching(/^r\0K127\.0\.0\.1 accepted message\.\nRemote host said: 250 .*\n\0$/),
    ]);
    expect(await mail('remotely')).toContain('Return-Path: <s@y.z>\n');
    expect(call('qmail-remote', ['dead.test', 's@y.z', 'x@dead.test'], 'x\n').stdout).toBe(
      "ZSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n\0",
    );
  });
  it('sees the queue, whether the engine runs or not', async () => {
    await send('x@dead.test', 'waits');
    const line =
      /^\d+ \w{3} \d{4} [\d:]{8} GMT {2}#[0-9a-f-]{36} {2}\d+ {2}<you@example\.org> \n\tremote\tx@dead\.test\n$/;
    const counts = 'messages in queue: 1\nmessages in queue but not yet preprocessed: 0\n';
    await until(() => call('qmail-qstat').stdout === counts, 'one letter in the queue');
    const { status, stdout, stderr } = call('qmail-qread');
    expect([status, stdout, stderr]).toEqual([0, expect.stringMatching(line), '']);
    expect(call('qmail-tcpto')).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(call('qmail-tcpok')).toEqual({ status: 0, stdout: '', stderr: '' });
    await engine.stop();
    expect(call('qmail-qread').stdout).toBe(stdout);
    expect(call('mailq').stdout).toBe(stdout);
    expect(call('qmail-tcpto')).toMatchObject({
      status: 111,
      stdout: 'fatal: unable to open tcpto: file does not exist\n',
    });
  });
});
