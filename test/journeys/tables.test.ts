/** Databases and forwarding programs in the running engine: who lives here, whom strangers may write to, where letters go on. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { compileAssign } from '../../src/aliases/assign-cdb.ts';
import { systemTableFiles, type TextRecord } from '../../src/cli/programs/tables/table-files.ts';
import { makeEngine, type Engine } from '../support/engine.ts';
import { ours } from '../support/forwarding-run.ts';
import { handIn } from '../support/smtp-talk.ts';
import { shellWord } from '../support/shell-word.ts';
import { until } from '../support/until.ts';

/** As a line of a .qmail file has it. */
const command = (name: string) => ours(name).map(shellWord).join(' ');

/** Started by root, an engine runs no programs for users without a number of their own. */
const somebody = 65_534;
const isRoot = process.getuid?.() === 0;
const canBeSomebody =
  !isRoot ||
  spawnSync(process.execPath, ['--version'], { uid: somebody, gid: somebody, cwd: '/' }).status ===
    0;
const withPrograms = canBeSomebody ? describe : describe.skip;

let engine: Engine;

beforeAll(async () => {
  engine = await makeEngine({
    ...(isRoot && canBeSomebody ? { uid: somebody } : {}),
    // Nobody here is a relay client, so that rcpthosts counts.
    control: { 'tcp.smtp': ':allow\n', defaulthost: 'demo.test\n', defaultdomain: 'test\n' },
    files: { 'alias/.qmail-default': `|${command('fastforward')} -d ../aliases.cdb\n` },
  });
  compile('aliases.cdb', [
    [':team@demo.test', '&demo@demo.test\0&ann@demo.test\0'],
    ['?team@demo.test', 'boss@demo.test'],
  ]);
  await engine.start();
});

afterAll(() => engine.remove());

const compile = (path: string, records: Iterable<TextRecord>) => {
  const target = join(engine.configDir, path);
  mkdirSync(dirname(target), { recursive: true });
  systemTableFiles.writeCdb({ target, temporary: `${target}.tmp`, mode: 0o644 }, records);
};

const send = (to: string, subject: string) =>
  handIn(engine.port, {
    from: 'you@example.org',
    to: [to],
    body: `Subject: ${subject}\r\n\r\nhi\r\n`,
  });

const mail = (user: string, subject: string) =>
  until(
    () =>
      engine
        .maildir(user)
        .map((file) => readFileSync(file, 'latin1'))
        .find((text) => text.includes(`Subject: ${subject}\n`)),
    `${subject} for ${user}`,
    60_000,
  );

describe('users/cdb', () => {
  it('counts from the moment it is there, without a word to the engine', async () => {
    const lines = ['demo', 'ann', 'boss'].map((user) => `=${user}:${user}:::mail/${user}:::\n`);
    compile('users/cdb', compileAssign(`${lines.join('')}.\n`));
    await send('ann@demo.test', 'in the database');
    expect(await mail('ann', 'in the database')).toContain('Delivered-To: ann@demo.test\n');
  });
});

withPrograms('|fastforward', () => {
  it('sends a letter on to all members, from the owner of the alias', async () => {
    await send('team@demo.test', 'for the team');
    for (const user of ['demo', 'ann']) {
      const text = await mail(user, 'for the team');
      expect(text).toContain('Return-Path: <boss@demo.test>\n');
      expect(text).toContain(`Delivered-To: ${user}@demo.test\nReceived:`);
      expect(text).toContain('Delivered-To: team@demo.test\n');
    }
  });
});

withPrograms('|dot-forward', () => {
  it('sends a letter on, and leaves one to the next line where the file says so', async () => {
    const home = join(engine.dataDir, 'mail/demo');
    await send('demo@demo.test', 'first');
    await mail('demo', 'first');
    writeFileSync(join(home, '.qmail'), `|${command('dot-forward')} .forward\n./Maildir/\n`);
    writeFileSync(join(home, '.forward'), '\\demo, Ann <ann>\n');
    await send('demo@demo.test', 'for both');
    expect(await mail('ann', 'for both')).toContain('Delivered-To: demo@demo.test\n');
    expect(await mail('demo', 'for both')).not.toContain('ann@');
    rmSync(join(home, '.qmail'));
  });
});

const hasDebian = ['dot-forward', 'fastforward'].every((name) => existsSync(`/usr/bin/${name}`));
const canIsolate = isRoot && hasDebian && spawnSync('unshare', ['-m', 'true']).status === 0;
const withDebian = canIsolate
  ? describe
  : (name: string, work: () => void) => describe.skip(`${name} (needs dot-forward, fastforward and root)`, work); // prettier-ignore

withDebian("Debian's dot-forward and fastforward", () => {
  /** They know qmail-queue by one path only, so that is where ours lies for them. */
  const run = (words: readonly string[]) => {
    const home = join(engine.root, 'qmail');
    mkdirSync(join(home, 'bin'), { recursive: true });
    mkdirSync(join(home, 'control'), { recursive: true });
    writeFileSync(join(home, 'control/me'), 'demo.test\n');
    const queue = `#!/bin/sh\nexec ${command('qmail-queue')}\n`;
    writeFileSync(join(home, 'bin/qmail-queue'), queue, { mode: 0o755 });
    const script = `mount --bind ${home} /var/lib/qmail && exec "$@"`;
    return spawnSync('unshare', ['-m', 'sh', '-c', script, 'sh', ...words], {
      input: `Subject: by ${words[0]}\n\nhi\n`,
      cwd: engine.configDir,
      env: {
        ...{
          PATH: process.env['PATH'],
          WAYBILL_CONFIG: engine.configDir,
          WAYBILL_DATA: engine.dataDir,
        },
        ...{
          USER: 'joe',
          HOST: 'demo.test',
          SENDER: 's@y.org',
          NEWSENDER: 's@y.org',
          RECIPIENT: 'team@demo.test',
        },
        ...{ DTLINE: 'Delivered-To: joe@demo.test\n', RPLINE: '', UFLINE: '' },
      },
    });
  };

  it('hand their letters to our qmail-queue', async () => {
    writeFileSync(join(engine.configDir, 'dot-forward'), 'ann@demo.test\n');
    expect(run(['dot-forward', 'dot-forward']).status).toBe(99);
    expect(await mail('ann', 'by dot-forward')).toContain('Delivered-To: joe@demo.test\n');
    expect(run(['fastforward', 'aliases.cdb']).status).toBe(0);
    expect(await mail('ann', 'by fastforward')).toContain('Return-Path: <boss@demo.test>\n');
  });
});

describe('morercpthosts.cdb', () => {
  it('lets strangers write to its hosts as soon as it is there', async () => {
    await expect(send('x@more.test', 'too early')).rejects.toThrow('553');
    compile('control/morercpthosts.cdb', [['more.test', '']]);
    await expect(send('x@more.test', 'in time')).resolves.toContain('250');
    writeFileSync(join(engine.configDir, 'control/morercpthosts.cdb'), 'broken');
    await expect(send('x@more.test', 'not now')).rejects.toThrow('unable to read controls');
  });
});
