/** Whose mail is whose, in the running engine: the seed's scenarios, and the accounts of the machine as root's engine serves them. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { systemAccounts } from '../../src/platform/system-accounts.ts';
import { freePort, makeEngine, type Engine } from '../support/engine.ts';
import { storyOf } from '../support/read-log.ts';
import { openSink, type Sink } from '../support/sink.ts';
import { handIn, idIn } from '../support/smtp-talk.ts';
import { until } from '../support/until.ts';

const isRoot = process.getuid?.() === 0;
const asRoot = isRoot ? describe : describe.skip;
/** Nobody's account: who has a line in users/assign needs none. */
const luke = { uid: isRoot ? 42_010 : process.getuid!(), gid: isRoot ? 42_010 : process.getgid!() };
/** Node itself may lie where only root can look; then no user's file can call our programs. */
const mayRunNode = spawnSync(process.execPath, ['--version'], { ...luke, cwd: '/' }).status === 0;
const withPrograms = mayRunNode ? it : it.skip;

let engine: Engine;
const send = async (to: string, subject: string): Promise<string> =>
  idIn(
    await handIn(engine.port, {
      ...{ from: 'you@example.org', to: [to] },
      body: `Subject: ${subject}\r\n\r\nHello.\r\n`,
    }),
  );

const lettersIn = (maildir: string): readonly string[] => {
  try {
    return readdirSync(join(maildir, 'new')).map((name) => join(maildir, 'new', name));
  } catch {
    return [];
  }
};

const arrives = (maildir: string, subject: string): Promise<string> =>
  until(
    () =>
      lettersIn(maildir).find((file) =>
        readFileSync(file, 'utf8').includes(`Subject: ${subject}\n`),
      ),
    `"${subject}" in ${maildir}`,
    60_000,
  );

/** The first verdict on a letter. */
const verdictOn = (id: string) =>
  until(
    async () =>
      (await storyOf(engine.dataDir, id)).find(({ type }) =>
        ['RecipientDelivered', 'RecipientDeferred', 'RecipientFailed'].includes(type),
      ) as
        | { type: string; data: { reply: { text: string }; lines?: { done: { came: string }[] } } }
        | undefined,
    `a verdict on ${id}`,
    60_000,
  );

describe('an address that is made by making a file', () => {
  let sink: Sink;
  const home = () => join(engine.dataDir, 'mail/luke');
  /** As luke would write it. */
  const write = (name: string, text: string) => {
    const path = join(home(), name);
    writeFileSync(path, text, { mode: 0o600 });
    chownSync(path, luke.uid, luke.gid);
  };

  beforeAll(async () => {
    sink = await openSink(await freePort());
    const ids = isRoot ? `${luke.uid}:${luke.gid}` : ':';
    engine = await makeEngine({
      control: {
        rcpthosts: 'demo.test\nmojadomena.test\n',
        virtualdomains: 'mojadomena.test:luke\n',
        smtproutes: `beta.domena.test:127.0.0.1:${sink.port}\n:127.0.0.1:1\n`,
      },
      files: {
        'users/assign': `=luke:luke:${ids}:mail/luke:::\n+luke-:luke:${ids}:mail/luke:-::\n.\n`,
      },
    });
    await engine.start();
    await send('luke@demo.test', 'the first');
    await arrives(join(home(), 'Maildir'), 'the first');
  });
  afterAll(async () => {
    await engine.remove();
    await sink.shut();
  });

  it('works at once: luke-poufne with .qmail-poufne', async () => {
    await expect(send('luke-poufne@demo.test', 'too early')).rejects.toThrow(/ 550 /);
    write('.qmail-poufne', './poufne\n');
    const { data } = await verdictOn(await send('Luke-Poufne@demo.test', 'in time'));
    expect(data.reply.text).toBe('did 1+0+0\n');
    expect(readFileSync(join(home(), 'poufne'), 'utf8')).toContain('Subject: in time\n');
    expect(statSync(join(home(), 'poufne'))).toMatchObject({ ...luke, mode: 0o100600 });
  });

  it('may be a whole domain: a file for all of it, another for part of it', async () => {
    await expect(send('any@mojadomena.test', 'too early')).rejects.toThrow(/ 550 /);
    write('.qmail-default', '|echo "$DEFAULT of $HOST" >> seen-default\n');
    write('.qmail-luke-default', '|echo "$DEFAULT of $HOST" >> seen-luke\n');
    for (const to of ['any', 'luke', 'luke-list', 'Luke-A.B']) {
      const { data } = await verdictOn(await send(`${to}@mojadomena.test`, to));
      expect(data.reply.text).toBe('did 0+0+1\n');
    }
    expect(readFileSync(join(home(), 'seen-default'), 'utf8')).toBe(
      'any of mojadomena.test\nluke of mojadomena.test\n',
    );
    expect(readFileSync(join(home(), 'seen-luke'), 'utf8')).toBe(
      'list of mojadomena.test\nA.B of mojadomena.test\n',
    );
  });

  withPrograms('may be everybody who is not here, sent on to where they are', async () => {
    const alias = join(engine.configDir, 'alias/.qmail-default');
    writeFileSync(alias, '|forward "$LOCAL"@beta.domena.test\n');
    await send('Somebody.Else@demo.test', 'moved');
    const [letter] = await until(() => sink.letters, 'the letter at the other host');
    expect(letter).toMatchObject({
      returnPath: 'you@example.org',
      recipients: ['Somebody.Else@beta.domena.test'],
    });
    expect(letter?.body).toContain('Delivered-To: Somebody.Else@demo.test\r\n');
    // Those who are here stay.
    await send('luke@demo.test', 'not moved');
    await arrives(join(home(), 'Maildir'), 'not moved');
  });

  it('tells in the log what each of its lines did', async () => {
    write('.qmail-two', '# both\n|cat >/dev/null; echo said\n./two\n');
    const id = await send('luke-two@demo.test', 'told');
    expect((await verdictOn(id)).data).toMatchObject({
      reply: { text: 'said\ndid 1+0+1\n' },
      lines: {
        from: '.qmail-two',
        by: expect.stringMatching(/^users\/assign:\d+ \+luke-$/),
        done: [
          { line: 2, kind: 'program', what: 'cat >/dev/null; echo said', came: 'exit 0' },
          { line: 3, kind: 'mbox', what: './two', came: 'at 0' },
        ],
      },
    });
    const { stdout } = await engine.waybill('trace', id);
    expect(stdout).toContain('.qmail-two line 3: mbox ./two: at 0');
    expect((await engine.waybill('verify')).code).toBe(0);
  });
});

asRoot('ten accounts of the machine', () => {
  type User = {
    readonly name: string;
    readonly uid: number;
    readonly gid: number;
    readonly home: string;
  };
  const names = Array.from({ length: 10 }, (_, n) => `wbt${process.pid}${'abcdefghij'[n]!}`);
  const limitS = 5;
  const maxProcesses = 40;
  let users: readonly User[] = [];

  const shadow = (program: string, ...args: readonly string[]): void => {
    for (let tries = 0; ; tries += 1) {
      const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
      if (status === 0) return;
      if (tries > 100 || !/lock|try again/.test(stderr)) throw new Error(`${program}: ${stderr}`);
      spawnSync('sleep', ['0.1']);
    }
  };

  const write = (user: User, name: string, text: string) => {
    const path = join(user.home, name);
    writeFileSync(path, text, { mode: 0o600 });
    chownSync(path, user.uid, user.gid);
  };
  const makeMaildir = (user: User) => {
    for (const folder of ['', '/tmp', '/new', '/cur']) {
      const path = join(user.home, `Maildir${folder}`);
      mkdirSync(path, { mode: 0o700 });
      chownSync(path, user.uid, user.gid);
    }
  };
  const user = (n: number): User => users[n]!;
  const maildirOf = ({ home }: User) => join(home, 'Maildir');
  const at = (n: number, ext = '') => `${user(n).name}${ext}@demo.test`;

  /** Pids of whoever runs as that user. */
  const processesOf = ({ uid }: User): readonly number[] =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        try {
          return new RegExp(`^State:\\s+[^Z][^]*^Uid:\\t${uid}\\t`, 'm').test(
            readFileSync(`/proc/${pid}/status`, 'utf8'),
          );
        } catch {
          return false;
        }
      })
      .map(Number);

  beforeAll(async () => {
    engine = await makeEngine({
      env: {
        WAYBILL_LOCAL_PROGRAM_TIMEOUT_S: String(limitS),
        WAYBILL_LOCAL_PROGRAM_PROCESSES: String(maxProcesses),
      },
    });
    const homes = join(engine.root, 'homes');
    mkdirSync(homes, { mode: 0o711 });
    for (const name of names) {
      const home = join(homes, name);
      shadow(
        'useradd',
        '--no-create-home',
        '--user-group',
        '--home-dir',
        home,
        '--shell',
        '/bin/sh',
        name,
      );
      mkdirSync(home, { mode: 0o700 });
      const { uid, gid } = systemAccounts().account(name)!;
      chownSync(home, uid, gid);
      users = [...users, { name, uid, gid, home }];
    }
    for (const each of users) makeMaildir(each);
    await engine.start();
  });

  afterAll(async () => {
    await engine.remove();
    for (const each of users) {
      for (const pid of processesOf(each)) process.kill(pid, 'SIGKILL');
    }
    for (const name of names) shadow('userdel', name);
  });

  it('get their letters at once, each file its user’s and nobody else’s to read', async () => {
    for (const each of users) write(each, '.qmail-box', './mbox\n');
    await Promise.all(
      users.flatMap((_, n) => [
        send(at(n), `to ${n}`),
        send(at(n).toUpperCase(), `again ${n}`),
        send(at(n, '-box'), `box ${n}`),
      ]),
    );
    for (const [n, each] of users.entries()) {
      const files = [
        await arrives(maildirOf(each), `to ${n}`),
        await arrives(maildirOf(each), `again ${n}`),
        join(each.home, 'mbox'),
      ];
      await until(() => existsSync(files[2]!) && statSync(files[2]!).size > 0, 'the mbox');
      for (const file of files) {
        expect(statSync(file)).toMatchObject({ uid: each.uid, gid: each.gid, mode: 0o100600 });
      }
      expect(lettersIn(maildirOf(each))).toHaveLength(2);
    }
  });

  it('run programs as themselves, in no other group, in their homes', async () => {
    const script = '|(id -u; id -G; pwd -P; umask) > who.new; mv who.new who\n';
    for (const each of users) write(each, '.qmail-who', script);
    await Promise.all(users.map((_, n) => send(at(n, '-who'), 'who')));
    for (const { uid, gid, home } of users) {
      const said = await until(() => existsSync(join(home, 'who')), 'the program').then(() =>
        readFileSync(join(home, 'who'), 'utf8'),
      );
      expect(said).toBe(`${uid}\n${gid}\n${home}\n0077\n`);
      expect(statSync(join(home, 'who'))).toMatchObject({ uid, gid, mode: 0o100600 });
    }
  });

  it('cannot touch one another’s files, whatever their .qmail files try', async () => {
    const [victim, thief] = [user(0), user(1)];
    write(victim, 'secret', 'mine\n');
    const theirs = `../${victim.name}`;
    symlinkSync(join(victim.home, 'mbox'), join(thief.home, 'link'));
    symlinkSync(maildirOf(victim), join(thief.home, 'Linked'));
    const before = readFileSync(join(victim.home, 'mbox'), 'utf8');
    const listed = () =>
      [victim.home, join(maildirOf(victim), 'new')].map((path) => readdirSync(path));
    const files = listed();
    const tries: readonly (readonly [string, string])[] = [
      ['mbox', `${theirs}/mbox\n`],
      ['link', './link\n'],
      ['maildir', `${theirs}/Maildir/\n`],
      ['linked', './Linked/\n'],
      ['new', `${theirs}/new\n`],
    ];
    for (const [ext, text] of tries) {
      write(thief, `.qmail-${ext}`, text);
      const { type, data } = await verdictOn(await send(at(1, `-${ext}`), ext));
      expect([ext, type]).toEqual([ext, 'RecipientDeferred']);
      expect(data.reply.text).toMatch(/access denied|on maildir delivery|chdir to maildir/);
    }
    const program = [
      `cat ${theirs}/secret`,
      `ls ${theirs}`,
      `ls ${engine.dataDir}/scratch`,
      `echo x > ${theirs}/forged`,
      `cat ${engine.dataDir}/log/waybill.db`,
      `kill -9 ${engine.pids().find(({ role }) => role === 'local')!.pid}`,
    ].map((command) => `(${command}) 2>/dev/null && echo yes || echo no`);
    write(thief, '.qmail-program', `|${program.join('; ')}\n`);
    const { data } = await verdictOn(await send(at(1, '-program'), 'program'));
    expect(data.reply.text).toBe(`${'no\n'.repeat(program.length)}did 0+0+1\n`);
    expect(readFileSync(join(victim.home, 'mbox'), 'utf8')).toBe(before);
    expect(listed()).toEqual(files);
  });

  it('are not served from a .qmail file that somebody else may write, nor in such a home', async () => {
    write(user(2), '.qmail-open', './open\n');
    chmodSync(join(user(2).home, '.qmail-open'), 0o602);
    const file = await verdictOn(await send(at(2, '-open'), 'open'));
    expect(file.data.reply.text).toContain('.qmail file is writable');
    chmodSync(user(2).home, 0o702);
    const home = await verdictOn(await send(at(2), 'open home'));
    expect(home.data.reply.text).toContain('home directory is writable');
    chmodSync(user(2).home, 0o700);
  });

  it('have no mail where the home is not theirs: the letter is alias’s, who has no such file', async () => {
    write(user(3), '.qmail-fresh', '# taken\n');
    chownSync(user(3).home, 0, 0);
    await expect(send(at(3, '-fresh'), 'whose home?')).rejects.toThrow(/ 550 /);
    chownSync(user(3).home, user(3).uid, user(3).gid);
    expect((await verdictOn(await send(at(3, '-fresh'), 'his'))).type).toBe('RecipientDelivered');
    await expect(send('root@demo.test', 'for root')).rejects.toThrow(/ 550 /);
  });

  it('are all served while one’s programs write a gigabyte, multiply, hang, and end oddly', async () => {
    const [writer, forker, hanger, odd] = [user(4), user(5), user(6), user(7)];
    write(writer, '.qmail-big', '|head -c 1000000000 /dev/zero | tr "\\\\0" x; exit 100\n');
    write(forker, '.qmail-fork', '|echo begun; while sleep 1000 & do :; done\n');
    write(odd, '.qmail-quiet', '|sleep 1000 & exit 0\n');
    write(hanger, '.qmail-hang', "|trap '' TERM; while :; do sleep 1; done\n");
    write(odd, '.qmail-segv', '|kill -SEGV $$\n');
    write(odd, '.qmail-255', '|exit 255\n');
    write(odd, '.qmail-gone', '|exec /nonexistent/program\n');
    write(odd, '.qmail-group', '|kill -KILL 0\n');
    const evil = {
      big: await send(at(4, '-big'), 'big'),
      fork: await send(at(5, '-fork'), 'fork'),
      quiet: await send(at(7, '-quiet'), 'quiet'),
      hang: await send(at(6, '-hang'), 'hang'),
      segv: await send(at(7, '-segv'), 'segv'),
      255: await send(at(7, '-255'), '255'),
      gone: await send(at(7, '-gone'), 'gone'),
      group: await send(at(7, '-group'), 'group'),
    };
    const local = engine.pids().find(({ role }) => role === 'local')!.pid;
    await Promise.all(users.map((_, n) => send(at(n), `meanwhile ${n}`)));
    await Promise.all(users.map((each, n) => arrives(maildirOf(each), `meanwhile ${n}`)));

    const seen: Record<string, string> = {};
    for (const [name, id] of Object.entries(evil)) {
      const { type, data } = await verdictOn(id);
      const came = data.lines?.done.map((line) => line.came).join();
      seen[name] = `${type} ${came} ${data.reply.text.length > 3_100 ? 'too long' : 'bounded'}`;
    }
    expect(seen).toEqual({
      // On a slow disk a gigabyte takes longer than it may.
      big: expect.stringMatching(/^Recipient(Failed exit 100|Deferred time limit) bounded$/),
      // How its shell says so, and how long it tries, is the shell's affair.
      fork: expect.stringMatching(/^RecipientDeferred (exit \d+|time limit) bounded$/),
      quiet: 'RecipientDelivered exit 0 bounded',
      hang: 'RecipientDeferred time limit bounded',
      segv: 'RecipientDeferred SIGSEGV bounded',
      255: 'RecipientDeferred exit 255 bounded',
      gone: 'RecipientDeferred exit 127 bounded',
      group: 'RecipientDeferred SIGKILL bounded',
    });
    // What was left in the background may live as long as its program might have.
    const left = () => [forker, hanger, odd].flatMap(processesOf);
    await until(() => left().length === 0, 'the end of all that was left');
    expect(engine.pids().find(({ role }) => role === 'local')!.pid).toBe(local);
    const peak = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${local}/status`, 'utf8'))?.[1];
    expect(Number(peak)).toBeLessThan(600_000);
  });
});
