/** Programs of this machine hand letters to a running engine, to one that restarts, and to one that is away. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { attemptAs } from '../support/attempt-as.ts';
import { makeEngine, type Engine } from '../support/engine.ts';
import { readLog } from '../support/read-log.ts';
import { shellWord } from '../support/shell-word.ts';
import { until } from '../support/until.ts';

const programs = resolve(import.meta.dirname, '../../src/cli/programs');
const isRoot = process.geteuid?.() === 0;
const asRoot = isRoot ? it : it.skip;
const has = (program: string): boolean =>
  spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
const withPython = spawnSync('python3', ['-c', '']).status === 0 ? it : it.skip;

/** Whom programs of a .qmail file run as: somebody else where we can. */
const stranger = isRoot ? 1_234 : process.geteuid!();

let engine: Engine;
let root: string;
/** Programs under their usual names, as an installation has them. */
let bin: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'waybill-bin-'));
  chmodSync(root, 0o755);
  bin = join(root, 'bin');
  mkdirSync(bin);
  for (const file of readdirSync(programs).filter((name) => name.endsWith('.ts'))) {
    const path = join(bin, file.slice(0, -3));
    const words = [process.execPath, '--disable-warning=ExperimentalWarning', join(programs, file)];
    writeFileSync(path, `#!/bin/sh\nexec ${words.map(shellWord).join(' ')} "$@"\n`);
    chmodSync(path, 0o755);
  }
  const home = join(root, 'home');
  mkdirSync(home);
  writeFileSync(join(home, '.qmail-default'), '|forward "$DEFAULT"@demo.test\n');
  chownSync(home, stranger, isRoot ? stranger : -1);
  const assign = [
    '=demo:demo:::mail/demo:::',
    `+hand-:hand:${stranger}:${stranger}:${home}:-::`,
    '.\n',
  ];
  engine = await makeEngine({
    control: { defaulthost: 'demo.test\n' },
    files: { 'users/assign': assign.join('\n') },
    env: { PATH: `${bin}:${process.env['PATH']}` },
  });
  await engine.start();
});

afterAll(async () => {
  await engine.remove();
  rmSync(root, { recursive: true, force: true });
});

type Ran = { readonly code: number | null; readonly out: string; readonly err: string };

function run(
  program: string,
  args: readonly string[],
  input: string | Buffer,
  options: { readonly uid?: number; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Ran> {
  return new Promise((done) => {
    const { uid } = options;
    const child = spawn(join(bin, program), args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: environment({ USER: 'joe', ...options.env }),
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.once('close', (code) => done({ code, out, err }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

const environment = (more: Readonly<Record<string, string>>) => ({
  PATH: process.env['PATH'] ?? '',
  WAYBILL_CONFIG: engine.configDir,
  WAYBILL_DATA: engine.dataDir,
  ...more,
});

const ok: Ran = { code: 0, out: '', err: '' };

const letters = () => engine.maildir('demo').map((path) => readFileSync(path, 'latin1'));

/** The letter in demo's Maildir that holds this line. */
async function arrived(line: string): Promise<string> {
  const find = () => letters().find((letter) => letter.includes(line));
  await until(() => find() !== undefined, `the letter with ${line}`);
  return find()!;
}

const acceptedOf = async (line: string): Promise<Record<string, unknown>> => {
  await arrived(line);
  const events = await readLog(engine.dataDir);
  const accepted = events.filter(({ type }) => type === 'MessageAccepted');
  return (accepted.at(-1)!.data as { arrival: Record<string, unknown> }).arrival;
};

describe('a local program', () => {
  it('has its letter delivered, completed, with its user on top and in the log', async () => {
    expect(await run('qmail-inject', [], 'To: demo\nSubject: one\n\nbody')).toEqual(ok);
    const letter = await arrived('Subject: one');
    const uid = process.geteuid!();
    expect(letter).toMatch(
      new RegExp(
        `^Return-Path: <joe@demo\\.test>\nDelivered-To: demo@demo\\.test\n` +
          `Received: \\(qmail \\d+ invoked by uid ${uid}\\); \\d+ \\w{3} \\d{4} [\\d:]{8} -0000\n` +
          `Date: .* -0000\nMessage-ID: <\\d{14}\\.\\d+\\.qmail@mail\\.demo\\.test>\n` +
          `From: joe@demo\\.test\nTo: demo@demo\\.test\nSubject: one\n\nbody\n$`,
      ),
    );
    expect(await acceptedOf('Subject: one')).toMatchObject({ protocol: 'local', uid, user: 'joe' });
  });
  asRoot('of another user cannot be taken for anybody else', async () => {
    const env = { USER: 'root', QMAILUSER: 'root' };
    const options = { uid: stranger, env };
    expect(await run('sendmail', ['-t'], 'To: demo\nSubject: two\n', options)).toEqual(ok);
    expect(await arrived('Subject: two')).toContain(`invoked by uid ${stranger});`);
    expect(await acceptedOf('Subject: two')).toMatchObject({
      ...{ protocol: 'local', uid: stranger, user: 'root' },
    });
  });
  it('may hand in a large letter, whole', async () => {
    const lines = Array.from({ length: 40_000 }, (_, i) => `line ${i} of many, \xe4\xf6\xfc`);
    const body = Buffer.from(`To: demo\nSubject: large\n\n${lines.join('\n')}\n`, 'latin1');
    expect(await run('qmail-inject', [], body)).toEqual(ok);
    const letter = await arrived('Subject: large');
    expect(letter.endsWith(`\n\n${lines.join('\n')}\n`)).toBe(true);
    expect(await acceptedOf('Subject: large')).toMatchObject({ eightBit: true });
  });
  it('may be eight at once', async () => {
    const send = (n: number) => run('qmail-inject', ['demo'], `Subject: crowd ${n}.\n`);
    const ran = await Promise.all(Array.from({ length: 8 }, (_, n) => send(n)));
    expect(ran.every(({ code }) => code === 0)).toBe(true);
    for (let n = 0; n < 8; n += 1) await arrived(`Subject: crowd ${n}.`);
  });
  it('may have a letter for nobody, which is over at once', async () => {
    expect(await run('sendmail', [], 'To: demo\nSubject: nobody\n')).toEqual(ok);
    const events = await readLog(engine.dataDir);
    const accepted = events.filter(({ type }) => type === 'MessageAccepted').at(-1)!;
    expect((accepted.data as { envelope: object }).envelope).toMatchObject({ recipients: [] });
    const ended = () =>
      readLog(engine.dataDir).then((log) =>
        log.some(({ type, stream }) => type === 'MessageCleanedUp' && stream === accepted.stream),
      );
    await until(ended, 'its end');
  });
  it('may print the letter instead of sending it', async () => {
    const { code, out } = await run('qmail-inject', ['-n'], 'To: demo\nFrom: me@x.y\n');
    expect(code).toBe(0);
    expect(out).toMatch(
      /^Return-Path: <joe@demo\.test>\nDate: .*\nMessage-ID: .*\nTo: demo@demo\.test\nFrom: me@x\.y\n$/,
    );
  });
  it('can ask for nothing else at its socket', async () => {
    const { mode } = lstatSync(join(engine.dataDir, 'run/inject.sock'));
    expect(mode & 0o777).toBe(0o666);
    for (const name of ['door', 'remote', 'local', 'control']) {
      expect(lstatSync(join(engine.dataDir, `run/${name}.sock`)).mode & 0o007).toBe(0);
    }
  });
});

describe('qmail-queue', () => {
  /** As a program written for qmail calls it: two pipes. */
  const queue = (message: string, envelope: string): Promise<number | null> =>
    new Promise((done) => {
      const child = spawn('/bin/sh', ['-c', 'exec "$0" 1<&3', join(bin, 'qmail-queue')], {
        stdio: ['pipe', 'ignore', 'inherit', 'pipe'],
        env: environment({}),
      });
      child.once('close', done);
      const pipe = child.stdio[3] as NodeJS.WritableStream;
      pipe.on('error', () => undefined);
      child.stdin!.end(message);
      pipe.end(envelope);
    });
  it('takes message and envelope from two descriptors', async () => {
    expect(await queue('Subject: raw\n\nx\n', 'Fme@x.y\0Tdemo@demo.test\0\0')).toBe(0);
    const letter = await arrived('Subject: raw');
    expect(letter).toMatch(
      /^Return-Path: <me@x\.y>\nDelivered-To: .*\nReceived: \(qmail .*\nSubject: raw\n\nx\n$/,
    );
  });
  it.each([
    ['no end', 'Fs\0Tr\0', 54],
    ['no sender', 'Xs\0\0', 91],
    ['too long an address', `F${'s'.repeat(1_003)}\0\0`, 11],
  ])('exits as qmail-queue does for an envelope with %s', async (_what, envelope, exit) => {
    expect(await queue('Subject: none\n', envelope)).toBe(exit);
  });
  it('may stand in its own place (QMAILQUEUE)', async () => {
    const env = { QMAILQUEUE: join(bin, 'qmail-queue') };
    expect(await run('qmail-inject', ['demo'], 'Subject: via\n', { env })).toEqual(ok);
    await arrived('Subject: via');
  });
});

describe('a .qmail file', () => {
  it('hands a letter on with forward, which finds this engine by itself', async () => {
    expect(await run('qmail-inject', ['hand-demo@demo.test'], 'Subject: handed\n')).toEqual(ok);
    const letter = await arrived('Subject: handed');
    expect(letter).toContain('Delivered-To: hand-demo@demo.test\n');
    expect(letter).toContain(`invoked by uid ${stranger});`);
  });
});

describe('sendmail -bs', () => {
  it('speaks SMTP on its own descriptors, and its letters name the caller', async () => {
    const talk = [
      'EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<demo@demo.test>\r\nDATA\r\n',
      'Subject: spoken one\r\n\r\n..x\r\n.\r\n',
      'MAIL FROM:<a@b.c>\r\nRCPT TO:<demo@demo.test>\r\nDATA\r\n',
      'Subject: spoken two\r\n\r\n.\r\nQUIT\r\n',
    ];
    const { code, out } = await run('sendmail', ['-bs'], talk.join(''));
    expect(code).toBe(0);
    const codes = out.match(/^\d{3}(?= )/gm)?.join(' ');
    expect(codes).toBe('220 250 250 250 354 250 250 250 354 250 221');
    const first = await arrived('Subject: spoken one');
    expect(first).toContain(`invoked by uid ${process.geteuid!()});`);
    expect(first).toContain(
      `from localhost (HELO x) (sendmail-bs+uid=${process.getuid!()}@127.0.0.1)`,
    );
    expect(first.endsWith('\n.x\n')).toBe(true);
    const ids = out.match(/ok \S{36}/g);
    expect(new Set(ids).size).toBe(2);
    expect(first).toContain(ids![0].slice(3));
    await arrived('Subject: spoken two');
  });
  it('lists the queue with -bp', async () => {
    expect((await run('sendmail', ['-bp'], '')).code).toBe(0);
  });
});

describe('a script', () => {
  withPython('in python sends through sendmail as it always did', async () => {
    const script = `
import subprocess, email.message
m = email.message.EmailMessage()
m['To'] = 'demo@demo.test'
m['Subject'] = 'from python'
m.set_content('hello\\n')
subprocess.run([${JSON.stringify(join(bin, 'sendmail'))}, '-oi', '-t', '-f', 'py@demo.test'], input=m.as_bytes(), check=True)
`;
    const env = environment({ USER: 'joe' });
    expect(spawnSync('python3', ['-c', script], { env }).status).toBe(0);
    expect(await arrived('Subject: from python')).toContain('Return-Path: <py@demo.test>');
  });
});

describe("a person's mail program", () => {
  /** How each is told which sendmail to call; subject in $1, body on stdin. */
  const clients: readonly (readonly [string, string])[] = [
    ['mutt', `mutt -n -F /dev/null -e "set sendmail='$SENDMAIL -oem -oi'" -s "$1" demo@demo.test`],
    ['s-nail', 's-nail -:/ -S mta="$SENDMAIL" -s "$1" demo@demo.test'],
    ['bsd-mailx', 'MAILRC="$RC" bsd-mailx -s "$1" demo@demo.test'],
  ];
  for (const [client, line] of clients) {
    (has(client) ? it : it.skip)(`sends through sendmail: ${client}`, async () => {
      const SENDMAIL = join(bin, 'sendmail');
      const RC = join(root, 'mailrc');
      writeFileSync(RC, `set sendmail=${SENDMAIL}\n`);
      const user = userInfo().username;
      const env = environment({ SENDMAIL, RC, HOME: root, USER: user, LOGNAME: user });
      const input = 'from a person\n.\nlast line\n';
      const ran = spawnSync('sh', ['-c', line, 'sh', `by ${client}`], { env, input });
      expect([ran.status, ran.stderr.toString()]).toEqual([0, '']);
      const letter = await arrived(`Subject: by ${client}`);
      expect(letter).toMatch(/\nTo: demo@demo\.test\n/);
      expect(letter).toContain('\nfrom a person\n');
    });
  }
});

describe('while the engine is not there', () => {
  it('a letter waits for one that restarts', async () => {
    await engine.kill('queue');
    expect(await run('qmail-inject', ['demo'], 'Subject: patient\n')).toEqual(ok);
    await arrived('Subject: patient');
  });
  it('exit code 111 says so to whoever may write neither the log nor the drop box, and nothing is lost or half there', async () => {
    const before = (await readLog(engine.dataDir)).filter(({ type }) => type === 'MessageAccepted');
    await engine.stop();
    const options = { env: { WAYBILL_DATA: join(root, 'nowhere') } };
    expect(await run('qmail-inject', ['demo'], 'Subject: x\n', options)).toEqual({
      ...{ code: 111, out: '' },
      err: 'qmail-inject: fatal: qq trouble in home directory (#4.3.0)\n',
    });
    if (isRoot) {
      // The log is its role's: root's files in it would keep the engine from starting.
      const drop = join(engine.dataDir, 'drop');
      renameSync(drop, `${drop}.away`);
      const { code, err } = await run('qmail-inject', ['demo'], 'Subject: x\n');
      renameSync(`${drop}.away`, drop);
      expect([code, err]).toEqual([
        111,
        'qmail-inject: fatal: qq trouble creating files in queue (#4.3.0)\n',
      ]);
      const after = (await readLog(engine.dataDir)).filter(
        ({ type }) => type === 'MessageAccepted',
      );
      expect(after).toHaveLength(before.length);
    }
  });
  asRoot(
    "another user's letter lies in the drop box, where nobody else gets at it, and goes out with the next start",
    async () => {
      const options = { uid: stranger, env: { WAYBILL_PATIENCE: '0' } };
      expect(await run('sendmail', ['demo'], 'Subject: boxed\n\nx\n', options)).toEqual(ok);
      const large = `Subject: boxed and large\n\n${'y'.repeat(70)}\n`.padEnd(300_000, 'z\n');
      expect(await run('qmail-inject', ['demo'], large, options)).toEqual(ok);
      const drop = join(engine.dataDir, 'drop');
      const [path = ''] = readdirSync(drop).map((name) => join(drop, name));
      expect(lstatSync(path)).toMatchObject({ uid: stranger });
      expect((await engine.waybill('queue')).stdout).toContain('2 letters in the drop box');
      // Somebody who knows its name cannot read it, another user's group neither; nobody can list.
      const identity = { uid: stranger + 1, gid: stranger };
      const attempts = [
        { kind: 'read', path },
        { kind: 'list', path: drop },
        { kind: 'make', path },
        { kind: 'make', path: join(drop, 'own') },
      ] as const;
      expect(attemptAs(identity, attempts)).toEqual({
        [`read ${path}`]: 'EACCES',
        [`list ${drop}`]: 'EACCES',
        [`make ${path}`]: 'EEXIST',
        [`make ${join(drop, 'own')}`]: 'ok',
      });
      // What others leave there harms nobody.
      mkdirSync(join(drop, 'folder'));
      writeFileSync(join(drop, 'rubbish'), 'x');
      await engine.start();
      const letter = await arrived('Subject: boxed\n');
      expect(letter).toContain(`invoked by uid ${stranger} through the drop box);`);
      await arrived('Subject: boxed and large\n');
      await until(() => readdirSync(drop).length === 0, 'the box to be empty');
      expect(readdirSync(join(engine.dataDir, 'aside'))).toHaveLength(1);
      await engine.stop();
    },
    240_000,
  );
  it("the log's own user puts the letter into it, and the engine delivers it when it comes", async () => {
    const { uid } = lstatSync(join(engine.dataDir, 'log/waybill.db'));
    const options = isRoot ? { uid } : {};
    expect(await run('qmail-inject', ['demo'], 'Subject: alone\n\nx\n', options)).toEqual(ok);
    const large = `Subject: alone and large\n\n${'y'.repeat(70)}\n`.padEnd(300_000, 'z\n');
    expect(await run('qmail-inject', ['demo'], large, options)).toEqual(ok);
    await engine.start();
    expect(await arrived('Subject: alone\n')).toContain(`invoked by uid ${uid});`);
    await arrived('Subject: alone and large\n');
    expect((await engine.waybill('verify')).code).toBe(0);
  });
});
