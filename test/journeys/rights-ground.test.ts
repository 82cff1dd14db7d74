/** Where an engine lies, whose its data was, and who starts it: it works, with as few rights as it can. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { systemAccounts } from '../../src/platform/system-accounts.ts';
import { makeEngine, type Engine, type EngineOptions, type Role } from '../support/engine.ts';
import { threadsOf } from '../support/proc.ts';
import { handIn } from '../support/smtp-talk.ts';
import { until } from '../support/until.ts';

const repository = resolve(import.meta.dirname, '../..');
const isRoot = process.getuid?.() === 0;
const asRoot = isRoot ? it : it.skip;
/** Nobody's account: a user needs none. */
const somebody = 42_003;
/** Node itself may lie where only root can look; then nobody else can run it. */
const mayRun =
  isRoot &&
  spawnSync(process.execPath, ['--version'], { uid: somebody, gid: somebody, cwd: '/' }).status ===
    0;
const asSomebody = mayRun ? it : it.skip;

const engines: Engine[] = [];
const folders: string[] = [];
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.remove();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function made(options: EngineOptions = {}): Promise<Engine> {
  const engine = await makeEngine(options);
  engines.push(engine);
  return engine;
}

const uidsOf = (engine: Engine): Readonly<Record<string, number>> =>
  Object.fromEntries(engine.pids().map(({ role, pid }) => [role, threadsOf(pid)[0]!.uids[1]!]));

const uidOf = (role: Exclude<Role, 'start' | 'local'>): number =>
  systemAccounts().account(`waybill-${role}`)!.uid;

const dropped = () => ({
  ...{ start: 0, local: 0 },
  ...{ door: uidOf('door'), queue: uidOf('queue'), remote: uidOf('remote') },
});

/** The roles become who they are each in its own time; the door may greet before another is there. */
async function runsAs(engine: Engine, expected: Readonly<Record<string, number>>): Promise<void> {
  const settled = () => isDeepStrictEqual(uidsOf(engine), expected);
  await until(settled, 'the roles to be themselves').catch(() => undefined);
  expect(uidsOf(engine)).toEqual(expected);
}

async function delivers(engine: Engine): Promise<void> {
  const before = engine.maildir('demo').length;
  const body = 'Subject: x\r\n\r\nHello.\r\n';
  const reply = await handIn(engine.port, {
    from: 'you@example.org',
    to: ['demo@demo.test'],
    body,
  });
  if (!reply.startsWith('250')) throw new Error(reply);
  await until(() => engine.maildir('demo').length > before, 'the letter');
}

/** Everything in a data directory but sockets, with its owner. */
function give(path: string, uid: number): void {
  lchownSync(path, uid, uid);
  if (!statSync(path).isDirectory()) return;
  for (const name of readdirSync(path)) give(join(path, name), uid);
}

/** The program and what it needs to run, copied; nobody but root may enter when `isClosed`. */
function cloneInto(folder: string, isClosed: boolean): string {
  const place = join(folder, 'waybill');
  mkdirSync(place);
  const { packages } = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, { readonly dev?: boolean }>>;
  };
  const needed = Object.keys(packages).filter((path) => path !== '' && !packages[path]!.dev);
  // Those for other machines are not installed.
  const here = needed.filter((path) => existsSync(join(repository, path)));
  for (const path of ['src', 'projections', 'package.json', ...here]) {
    cpSync(join(repository, path), join(place, path), { recursive: true, dereference: true });
  }
  chmodSync(folder, isClosed ? 0o700 : 0o755);
  return join(place, 'src/cli/main.ts');
}

const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-clone-'));
  folders.push(folder);
  return folder;
};

describe('an engine that root started', () => {
  asRoot(
    'takes over what an engine of root’s or of another user left',
    async () => {
      const env = {
        WAYBILL_USERS_DOOR: 'root',
        WAYBILL_USERS_QUEUE: 'root',
        WAYBILL_USERS_REMOTE: '0',
      };
      const options: { env: Record<string, string> } = { env: { ...env } };
      const engine = await made(options);
      await engine.start();
      await runsAs(engine, { start: 0, local: 0, door: 0, queue: 0, remote: 0 });
      await delivers(engine);
      await engine.stop();
      expect(statSync(join(engine.dataDir, 'log/waybill.db')).uid).toBe(0);

      for (const name of Object.keys(env)) delete options.env[name];
      await engine.start();
      await runsAs(engine, dropped());
      expect(engine.output()).toContain('took over');
      await delivers(engine);
      await engine.stop();

      for (const part of ['.', 'log', 'spool', 'checkpoints', 'run', 'scratch']) {
        give(join(engine.dataDir, part), somebody);
      }
      chmodSync(engine.dataDir, 0o700);
      await engine.start();
      await runsAs(engine, dropped());
      await delivers(engine);
      expect(statSync(engine.dataDir)).toMatchObject({ uid: 0, gid: 0, mode: 0o40711 });
      await engine.stop();

      // And back: what belongs to the queue's account is root's for the asking.
      Object.assign(options.env, env);
      await engine.start();
      await delivers(engine);
      expect((await engine.waybill('verify')).code).toBe(0);
    },
    240_000,
  );

  asRoot(
    'runs door and remote as themselves even where their accounts cannot get to the data',
    async () => {
      const engine = await made();
      chmodSync(engine.root, 0o700);
      await engine.start();
      await runsAs(engine, { ...dropped(), queue: 0 });
      expect(engine.output()).toContain(
        "the queue keeps root's rights: waybill-queue cannot enter",
      );
      expect(engine.output()).toContain(engine.root);
      await delivers(engine);
      await engine.kill('door');
      await until(
        () =>
          delivers(engine).then(
            () => true,
            () => false,
          ),
        'a new door',
      );
      await engine.stop();
      chmodSync(engine.root, 0o711);
      await engine.start();
      await runsAs(engine, dropped());
      await delivers(engine);
    },
    240_000,
  );

  asRoot(
    'works from a clone that only root can enter',
    async () => {
      const engine = await made({
        main: cloneInto(newFolder(), true),
        control: { smtproutes: ':127.0.0.1:1\n' },
      });
      await engine.start();
      await runsAs(engine, dropped());
      await delivers(engine);
      await handIn(engine.port, {
        ...{ from: 'demo@demo.test', to: ['you@nowhere.test'] },
        body: `Subject: large\r\n\r\n${`${'x'.repeat(70)}\r\n`.repeat(2_000)}`,
      });
      await engine.kill('queue');
      await until(
        () =>
          delivers(engine).then(
            () => true,
            () => false,
          ),
        'a new queue',
      );
      engine.signal('SIGHUP');
      await delivers(engine);
      await engine.stop();
      expect(engine.output()).not.toMatch(/EACCES|MODULE_NOT_FOUND/);
    },
    240_000,
  );

  asRoot('refuses a data directory that is not its own, and touches nothing in it', async () => {
    const engine = await made();
    mkdirSync(join(engine.dataDir, 'log'), { recursive: true });
    cpSync('/etc/hostname', join(engine.dataDir, 'log/syslog'));
    const before = statSync(join(engine.dataDir, 'log'));
    await expect(engine.start()).rejects.toThrow(/log holds what is not Waybill's \("syslog"\)/);
    expect(statSync(join(engine.dataDir, 'log'))).toMatchObject({ uid: 0, mode: before.mode });
  });

  asRoot('says which key names an account that nobody can make', async () => {
    const engine = await made({ env: { WAYBILL_USERS_REMOTE: '42004' } });
    await expect(engine.start()).rejects.toThrow(/users\.remote: uid 42004 has no account/);
    const other = await made({ env: { WAYBILL_USERS_DOOR: 'daemon:no-such-group-here' } });
    await expect(other.start()).rejects.toThrow(
      /users\.door: there is no group no-such-group-here/,
    );
  });

  asRoot('runs roles as numbers that have no account', async () => {
    const engine = await made({ env: { WAYBILL_USERS_DOOR: '42005:42006' } });
    await engine.start();
    await runsAs(engine, { ...dropped(), door: 42_005 });
    await delivers(engine);
  });
});

describe('an engine that an ordinary user started', () => {
  asSomebody(
    'runs as that user in all its parts',
    async () => {
      const main = cloneInto(newFolder(), false);
      const engine = await made({ uid: somebody, main });
      await engine.start();
      expect(engine.pids()).toHaveLength(5);
      for (const { pid } of engine.pids()) {
        const [first] = threadsOf(pid);
        expect(first).toMatchObject({
          uids: Array(4).fill(somebody),
          gids: Array(4).fill(somebody),
        });
      }
      await delivers(engine);
      engine.signal('SIGHUP');
      await delivers(engine);
      const owners = ['.', 'log', 'log/waybill.db', 'run', 'run/door.sock', 'mail/demo'].map(
        (path) => statSync(join(engine.dataDir, path)).uid,
      );
      expect(new Set(owners)).toEqual(new Set([somebody]));
      expect(statSync(engine.dataDir).mode & 0o777).toBe(0o700);
    },
    240_000,
  );

  asSomebody('is told when the data is not that user’s', async () => {
    const engine = await made({ uid: somebody, main: cloneInto(newFolder(), false) });
    mkdirSync(engine.dataDir);
    await expect(engine.start()).rejects.toThrow(
      /data cannot be written by uid 42003 .*start as root/,
    );
    mkdirSync(join(engine.dataDir, 'log'));
    await expect(engine.start()).rejects.toThrow(/data\/log cannot be written by uid 42003/);
  });
});
