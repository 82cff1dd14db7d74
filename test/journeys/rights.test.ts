/** Who may touch what in an engine that root started: asked of the kernel, role by role. Needs root; skips without. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  chmodSync,
  chownSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { writeCdbFile } from '../../src/platform/cdb-file.ts';
import { systemAccounts } from '../../src/platform/system-accounts.ts';
import { attemptAs, type Attempt, type Identity } from '../support/attempt-as.ts';
import { selfSigned } from '../support/certificate.ts';
import { freePort, makeEngine, type Engine, type Role } from '../support/engine.ts';
import { networkSocketsOf, openIn, threadsOf } from '../support/proc.ts';
import { storyOf } from '../support/read-log.ts';
import { openSink, type Sink } from '../support/sink.ts';
import { dial, handIn, idIn } from '../support/smtp-talk.ts';
import { until } from '../support/until.ts';

const isRoot = process.getuid?.() === 0;
const withRoot = isRoot ? describe : describe.skip;
const title = 'an engine that root started';

/** A recipient with a uid of its own, which needs no account. */
const joe: Identity = { uid: 42_001, gid: 42_002 };

let engine: Engine;
let sink: Sink;
let smtpsPort: number;
let door: Identity;
let remote: Identity;
let queue: Identity;
let desk: Identity;

const letter = (subject: string) => `From: a\r\nSubject: ${subject}\r\n\r\nHello.\r\n`;
const pidOf = (role: Role): number => engine.pids().find((found) => found.role === role)!.pid;
const at = (path: string): string => join(engine.dataDir, path);
const home = (path = ''): string => at(join('mail/joe', path));
const joesMail = (): readonly string[] => {
  try {
    return readdirSync(home('Maildir/new')).map((name) => home(`Maildir/new/${name}`));
  } catch {
    return [];
  }
};

async function sendThrough(subject: string, to: string): Promise<string> {
  const reply = await handIn(engine.port, {
    ...{ from: 'demo@demo.test', to: [to], body: letter(subject) },
  });
  return idIn(reply);
}

const endOf = (id: string): Promise<unknown> =>
  until(
    async () => (await storyOf(engine.dataDir, id)).at(-1)?.type === 'MessageCleanedUp',
    'the end of a letter',
  );

/** Answers of the kernel, and what is not as expected of all that were asked. */
function refusedTo(who: Identity, attempts: readonly Attempt[], codes: RegExp): void {
  const answers = attemptAs(who, attempts);
  expect(Object.keys(answers)).toHaveLength(attempts.length);
  const wrong = Object.entries(answers).filter(([, answer]) => !codes.test(answer));
  expect(wrong).toEqual([]);
}

const reading = (...paths: readonly string[]): Attempt[] =>
  paths.map((path) => ({ kind: 'read', path }));
const listing = (...paths: readonly string[]): Attempt[] =>
  paths.map((path) => ({ kind: 'list', path }));
const calling = (...names: readonly string[]): Attempt[] =>
  names.map((name) => ({ kind: 'connect', path: at(`run/${name}.sock`) }));
const making = (...paths: readonly string[]): Attempt[] =>
  paths.map((path) => ({ kind: 'make', path }));
const signalling = (...roles: readonly Role[]): Attempt[] =>
  roles.map((role) => ({ kind: 'signal', pid: pidOf(role) }));

/** What is the queue's alone. */
const queues = (): Attempt[] => [
  ...listing(at('log'), at('spool'), at('spool/bodies'), at('checkpoints'), at('run'), at('.')),
  ...reading(
    at('log/waybill.db'),
    at('log/waybill.db-wal'),
    at('log/waybill.db.lock'),
    at('checkpoints/agenda'),
    ...readdirSync(at('spool/bodies')).map((name) => at(`spool/bodies/${name}`)),
  ),
  ...making(at('log/x'), at('spool/x'), at('spool/incoming/x'), at('checkpoints/x')),
];

const isLog = (asked: object): boolean =>
  'path' in asked && [at('log/waybill.db'), at('log/waybill.db-wal')].includes(String(asked.path));
const isLogList = (asked: object): boolean => 'path' in asked && asked.path === at('log');

const mailAndKeys = (): Attempt[] => [
  ...listing(home(), home('Maildir'), at('scratch')),
  ...reading(home('.qmail-probe'), ...joesMail(), join(engine.configDir, 'tls/key.pem')),
  ...making(home('x'), at('x'), at('run/x'), at('mail/x')),
];

beforeAll(async () => {
  if (!isRoot) return;
  sink = await openSink(await freePort());
  smtpsPort = await freePort();
  const { key, cert } = selfSigned('first.demo.test');
  engine = await makeEngine({
    desk: { port: await freePort() },
    control: { smtproutes: `sink.test:127.0.0.1:${sink.port}\n:127.0.0.1:1\n` },
    files: {
      'users/assign': `=joe:joe:${joe.uid}:${joe.gid}:mail/joe:::\n+joe-:joe:${joe.uid}:${joe.gid}:mail/joe:-::\n.\n`,
      'tls/key.pem': key,
      'tls/certificate.pem': cert,
    },
    env: {
      WAYBILL_LISTEN_SMTPS: `127.0.0.1:${smtpsPort}`,
      WAYBILL_TLS_KEY: 'tls/key.pem',
      WAYBILL_TLS_CERTIFICATE: 'tls/certificate.pem',
    },
  });
  chmodSync(join(engine.configDir, 'tls/key.pem'), 0o600);
  chmodSync(join(engine.configDir, 'control'), 0o700);
  await engine.start();
  const ids = (name: string): Identity => systemAccounts().account(name)!;
  door = ids('waybill-door');
  remote = ids('waybill-remote');
  desk = ids('waybill-desk');
  queue = { ...ids('waybill-queue'), groups: [door.gid, remote.gid, desk.gid] };
  await endOf(await sendThrough('first', 'joe@demo.test'));
  await endOf(await sendThrough('outward', 'you@sink.test'));
  writeFileSync(
    home('.qmail-probe'),
    '|(id -u; id -g; id -G; umask; ls -l /proc/self/fd) > probe.new; mv probe.new probe\n',
    { mode: 0o600 },
  );
  chownSync(home('.qmail-probe'), joe.uid, joe.gid);
  // A large one that waits, so that the spool holds a file; then a second start, so that there is a checkpoint.
  await handIn(engine.port, {
    from: 'demo@demo.test',
    to: ['late@nowhere.test'],
    body: `Subject: large\r\n\r\n${'x'.repeat(70)}\r\n`.padEnd(200_000, `${'y'.repeat(70)}\r\n`),
  });
  await engine.stop();
  await engine.start();
  const roles = [
    ['door', door],
    ['remote', remote],
    ['queue', queue],
    ['desk', desk],
  ] as const;
  const settled = () => {
    const running = engine.pids();
    return roles.every(([role, { uid }]) => {
      const pid = running.find((found) => found.role === role)?.pid;
      return pid !== undefined && threadsOf(pid).every(({ uids }) => uids[1] === uid);
    });
  };
  await until(settled, 'the roles to be themselves');
});

afterAll(async () => {
  await engine?.remove();
  await sink?.shut();
});

withRoot(title, () => {
  it('has left root behind in every thread of door, queue, remote and desk', () => {
    const expected = [
      ['door', door, [] as number[]],
      ['remote', remote, [] as number[]],
      ['queue', queue, [...queue.groups!].sort((a, b) => a - b)],
      ['desk', desk, [] as number[]],
    ] as const;
    for (const [role, { uid, gid }, groups] of expected) {
      const threads = threadsOf(pidOf(role));
      expect(threads.length).toBeGreaterThan(1);
      for (const thread of threads) {
        expect(thread).toEqual({
          uids: Array(4).fill(uid),
          gids: Array(4).fill(gid),
          groups,
          isPowerless: true,
          umask: '0077',
        });
      }
    }
    expect(new Set([door.uid, remote.uid, queue.uid, desk.uid, 0]).size).toBe(5);
    for (const role of ['start', 'local'] as const) {
      expect(threadsOf(pidOf(role))[0]!.uids).toEqual([0, 0, 0, 0]);
    }
  });

  it.each([
    ['door', ['remote', 'local', 'control'], () => door],
    ['remote', ['door', 'local', 'control'], () => remote],
  ] as const)('keeps log, spool, mail and all other sockets from %s', (own, others, who) => {
    expect(readdirSync(at('spool/bodies'))).toHaveLength(1);
    expect(joesMail()).toHaveLength(1);
    const refused = [...queues(), ...mailAndKeys(), ...calling(...others)];
    refusedTo(who(), refused, /^EACCES$/);
    expect(attemptAs(who(), calling(own))).toEqual({ [`connect ${at(`run/${own}.sock`)}`]: 'ok' });
  });

  it('lets the desk read the log and write nothing but its views', async () => {
    const log = [at('log/waybill.db'), at('log/waybill.db-wal'), at('log/waybill.db-shm')];
    refusedTo(desk, [...reading(...log), ...listing(at('views'), at('past'))], /^ok$/);
    refusedTo(desk, making(at('views/x'), at('past/x')), /^ok$/);
    const secrets = ['control/me', 'waybill.toml'].map((name) => join(engine.configDir, name));
    chmodSync(secrets[1]!, 0o600);
    refusedTo(
      desk,
      [
        ...queues().filter(
          ({ kind, ...asked }) => !(kind === 'read' && isLog(asked)) && !isLogList(asked),
        ),
        ...mailAndKeys(),
        ...reading(...secrets),
        ...calling('door', 'remote', 'local', 'control'),
        ...log.map((path): Attempt => ({ kind: 'write', path })),
      ],
      /^EACCES$/,
    );
    chmodSync(secrets[1]!, 0o644);
    refusedTo(desk, calling('desk'), /^ok$/);
    for (const role of ['start', 'local', 'door', 'remote', 'queue'] as const) {
      refusedTo(desk, signalling(role), /^EPERM$/);
    }
    // The views are the desk's alone.
    for (const other of [door, remote, queue, joe]) {
      refusedTo(other, [...listing(at('views'), at('past')), ...making(at('views/x'))], /^EACCES$/);
    }
  });

  it('has views that tell of all mail, kept by the desk with its own rights', async () => {
    const id = await sendThrough('watched', 'joe@demo.test');
    await endOf(id);
    await until(
      async () => (await engine.waybill('views', 'status')).stdout.includes('up with the log'),
      'the views',
    );
    const { stdout, stderr } = await engine.waybill('search', '--id', id, '--json');
    expect([JSON.parse(stdout), stderr]).toMatchObject([{ message: id, status: 'delivered' }, '']);
    // Root's command line leaves nothing in the views that the desk cannot write.
    expect((await engine.waybill('views', 'rebuild', '--urgent')).code).toBe(0);
    const owners = readdirSync(at('views')).map((name) => lstatSync(at(`views/${name}`)).uid);
    expect(new Set(owners)).toEqual(new Set([desk.uid]));
    await endOf(await sendThrough('after it', 'joe@demo.test'));
    await until(
      async () => (await engine.waybill('views', 'status')).stdout.includes('up with the log'),
      'the new views',
    );
  });

  it('makes a folder of the desk again that somebody removed while it runs', async () => {
    rmSync(at('views'), { recursive: true });
    const isBack = async () =>
      (await engine.waybill('views', 'status')).stdout.includes('up with the log');
    await until(isBack, 'the views');
    const { uid, mode } = lstatSync(at('views'));
    expect([uid, mode & 0o777]).toEqual([desk.uid, 0o700]);
  });

  it('keeps mail, keys and what is local’s from the queue', () => {
    refusedTo(
      queue,
      mailAndKeys().filter(({ kind }) => kind !== 'make'),
      /^EACCES$/,
    );
    refusedTo(queue, making(home('x'), at('x'), at('mail/x'), at('scratch/x')), /^EACCES$/);
    // What it must have, so that the refusals above mean something.
    refusedTo(queue, reading(at('log/waybill.db'), at('checkpoints/agenda')), /^ok$/);
  });

  it('lets no role signal another one', () => {
    const roles: readonly [Role, Identity][] = [
      ['door', door],
      ['remote', remote],
      ['queue', queue],
    ];
    for (const [role, who] of roles) {
      const others = (['start', 'local', 'door', 'remote', 'queue'] as const).filter(
        (other) => other !== role,
      );
      refusedTo(who, signalling(...others), /^EPERM$/);
      refusedTo(who, signalling(role), /^ok$/);
    }
  });

  it('has a queue without a socket to the network', () => {
    expect(networkSocketsOf(pidOf('queue'))).toEqual([]);
    expect(networkSocketsOf(pidOf('local'))).toEqual([]);
    // Its two listening sockets.
    expect(networkSocketsOf(pidOf('door'))).toHaveLength(2);
  });

  it('has a door and a remote that hold no file of log or spool', () => {
    const kept = (role: Role) =>
      openIn(pidOf(role)).filter((name) => name.startsWith(`${engine.dataDir}/`));
    expect(kept('door')).toEqual([]);
    expect(kept('remote')).toEqual([]);
    expect(kept('queue')).toContain(at('log/waybill.db'));
  });

  it('runs programs as their recipient, with nothing of root’s', async () => {
    await endOf(await sendThrough('probe', 'joe-probe@demo.test'));
    const [uid, gid, groups, umask, ...fds] = readFileSync(home('probe'), 'utf8')
      .trim()
      .split('\n');
    expect([uid, gid, groups, umask]).toEqual([`${joe.uid}`, `${joe.gid}`, `${joe.gid}`, '0077']);
    // stdin, stdout, stderr, and the directory that ls reads.
    const open = fds.flatMap((line) => / (\d+) -> (.*)$/.exec(line)?.slice(1) ?? []);
    expect(open.filter((_, index) => index % 2 === 0)).toEqual(['0', '1', '2', '3']);
    expect(open[1]).toMatch(/scratch\/waybill-.*\(deleted\)$/);
    expect(open[7]).toMatch(/^\/proc\/\d+\/fd$/);
    const sockets = calling('door', 'remote', 'local', 'control');
    refusedTo(joe, [...queues(), ...listing(at('scratch')), ...sockets], /^EACCES$/);
    refusedTo(joe, signalling('start', 'local', 'door', 'queue', 'remote'), /^EPERM$/);
    expect(statSync(joesMail()[0]!)).toMatchObject({ ...joe, nlink: 1 });
  });

  it('starts a killed door, queue and remote again, as themselves', async () => {
    for (const [role, who, to] of [
      ['door', door, 'joe@demo.test'],
      ['remote', remote, 'you@sink.test'],
      ['queue', queue, 'joe@demo.test'],
    ] as const) {
      const before = pidOf(role);
      await engine.kill(role);
      await until(
        () =>
          engine.pids().some((now) => now.role === role && now.pid !== before) &&
          threadsOf(pidOf(role)).every(({ uids }) => uids[1] === who.uid),
        `${role} to be back`,
      );
      // Until the links are up again a client hears 451.
      const take = () => sendThrough(`after ${role}`, to).catch(() => '');
      const id = await until(async () => (await take()) || undefined, 'a 250');
      await endOf(id);
    }
  });

  it('reloads files and keys that only root may read', async () => {
    const second = selfSigned('second.demo.test');
    expect(await subjectAt(smtpsPort)).toBe('first.demo.test');
    writeFileSync(join(engine.configDir, 'tls/key.pem'), second.key);
    writeFileSync(join(engine.configDir, 'tls/certificate.pem'), second.cert);
    writeFileSync(join(engine.configDir, 'control/smtpgreeting'), 'renewed.test\n', {
      mode: 0o600,
    });
    engine.signal('SIGHUP');
    await until(async () => (await subjectAt(smtpsPort)) === 'second.demo.test', 'the new key');
    await until(async () => (await greeting()) === '220 renewed.test ESMTP', 'the new greeting');
    expect(statSync(join(engine.configDir, 'tls/key.pem'))).toMatchObject({
      uid: 0,
      mode: 0o100600,
    });
  });

  it('accepts and refuses by hosts that only root may look up', async () => {
    const control = join(engine.configDir, 'control');
    const compile = (host: string) =>
      writeCdbFile({
        target: join(control, 'morercpthosts.cdb'),
        temporary: join(control, 'morercpthosts.tmp'),
        records: [[Buffer.from(host), new Uint8Array(0)]],
      });
    const rules = join(control, 'tcp.smtp');
    const before = readFileSync(rules, 'utf8');
    writeFileSync(rules, '127.:allow\n');
    engine.signal('SIGHUP');
    await until(async () => (await answerTo('a@more.test')).startsWith('553'), 'no relaying');
    compile('more.test');
    engine.signal('SIGHUP');
    await until(async () => (await answerTo('a@more.test')).startsWith('250'), 'more hosts');
    expect(await answerTo('a@other.test')).toMatch(/^553/);
    compile('other.test');
    engine.signal('SIGHUP');
    await until(async () => (await answerTo('a@other.test')).startsWith('250'), 'other hosts');
    expect(await answerTo('a@more.test')).toMatch(/^553/);
    rmSync(join(control, 'morercpthosts.cdb'));
    writeFileSync(rules, before);
    engine.signal('SIGHUP');
    await until(async () => (await answerTo('a@more.test')).startsWith('250'), 'relaying');
  });

  it('keeps its settings, all of them, when one file is wrong, and names it', async () => {
    const rules = join(engine.configDir, 'control/tcp.smtp');
    const before = readFileSync(rules, 'utf8');
    writeFileSync(rules, `${before}rubbish:\n`);
    writeFileSync(join(engine.configDir, 'control/smtpgreeting'), 'wrong.test\n');
    engine.signal('SIGHUP');
    await until(() => engine.output().includes(`${rules}:2`), 'the complaint');
    expect(engine.output()).toContain('settings not reloaded');
    expect(await greeting()).toBe('220 renewed.test ESMTP');
    writeFileSync(rules, before);
    engine.signal('SIGHUP');
    await until(async () => (await greeting()) === '220 wrong.test ESMTP', 'the right ones');
  });

  it('obeys root’s command line, which leaves no file that the queue cannot write', async () => {
    const id = await sendThrough('waiting', 'late@nowhere.test');
    const ownersIn = (folder: string) =>
      readdirSync(at(folder)).map((name) => statSync(at(`${folder}/${name}`)).uid);
    const allQueues = () =>
      ['log', 'checkpoints', 'spool', 'spool/bodies']
        .flatMap(ownersIn)
        .every((uid) => uid === queue.uid);
    const commands = [['queue'], ['trace', id], ['verify'], ['retry', id, '--why', 'a test']];
    for (const words of commands) expect((await engine.waybill(...words)).code).toBe(0);
    expect(allQueues()).toBe(true);
    await engine.stop();
    for (const words of commands) expect((await engine.waybill(...words)).code).toBe(0);
    expect(allQueues()).toBe(true);
    await engine.start();
    await endOf(await sendThrough('after the command line', 'joe@demo.test'));
  });
});

async function greeting(): Promise<string> {
  const talk = await dial(engine.port);
  const line = await talk.hear();
  talk.close();
  return line;
}

/** To RCPT. */
async function answerTo(recipient: string): Promise<string> {
  const talk = await dial(engine.port);
  try {
    await talk.expect('220');
    await talk.ask('HELO client.test', '250');
    await talk.ask('MAIL FROM:<you@example.org>', '250');
    talk.say(`RCPT TO:<${recipient}>`);
    return await talk.hear();
  } finally {
    talk.close();
  }
}

/** The common name that a TLS listener shows. */
const subjectAt = (port: number): Promise<string | undefined> =>
  new Promise((resolve, reject) => {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      const { subject } = socket.getPeerCertificate();
      socket.destroy();
      resolve(subject.CN as string | undefined);
    });
    socket.once('error', reject);
  });
