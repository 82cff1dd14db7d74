import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { checkConfig } from '../../src/cli/check-config.ts';
import { checkDisk, groundWords, warningsOf } from '../../src/cli/check-disk.ts';
import { checkUsers, describeUsers } from '../../src/cli/check-users.ts';
import { readConfig } from '../../src/control/config.ts';
import type { SystemAccount, SystemAccounts } from '../../src/platform/system-accounts.ts';
import { selfSigned } from '../support/certificate.ts';
import { tempDir, type TempDir } from '../support/temp-dir.ts';
import { jsonLines, waybill } from './run.ts';

const sample = resolve(import.meta.dirname, '../../config');
const now = Date.UTC(2026, 0, 1);

let dir: TempDir;
beforeEach(() => {
  dir = tempDir();
  for (const part of ['control', 'users', 'alias']) {
    cpSync(`${sample}/${part}`, dir.file(`config/${part}`), { recursive: true });
  }
});
afterEach(() => dir.remove());

function put(path: string, text: string): void {
  mkdirSync(dirname(dir.file(`config/${path}`)), { recursive: true });
  writeFileSync(dir.file(`config/${path}`), text);
}

const checked = (at = now) =>
  checkConfig({ config: dir.file('config'), data: dir.file('data') }, at);
const run = (...args: readonly string[]) =>
  waybill(dir.file('data'), '--config', dir.file('config'), 'check', ...args);

describe('waybill check', () => {
  it('says what would listen where, and exits 0', () => {
    put(
      'waybill.toml',
      '[listen]\nsmtp = ["127.0.0.1:2526", "[::1]:2526"]\nproxy_protocol = ["[::1]:2526"]\nproxy_from = ["::1"]\n',
    );
    const { code, stdout } = run();
    expect(code).toBe(0);
    expect(stdout).toContain(
      'would listen on 127.0.0.1:2526, smtp\nwould listen on [::1]:2526, smtp, behind load balancers alone (PROXY protocol)\n',
    );
    expect(stdout).toContain('is mail.demo.test; delivers here: demo.test');
    expect(stdout).toMatch(/a sync takes \d+ us/);
    expect(readdirSync(dir.path)).toEqual(['config']);
  });

  it('names every mistake with file and line, all at once, and exits 100', () => {
    put('waybill.toml', '[listen]\nsmtp = ["localhost"]\n');
    put('control/tcp.smtp', ':allow\nrubbish:\n');
    const { code, stdout } = run();
    expect(code).toBe(100);
    expect(stdout).toContain(`${dir.file('config/waybill.toml')}:2: listen.smtp.0: not an address`);
    expect(stdout).toContain(`${dir.file('config/control/tcp.smtp')}:2: unable to parse`);
    expect(stdout).toMatch(/2 mistakes: nothing starts with it\.\n$/);
    const [answer] = jsonLines(run('--json').stdout);
    expect(answer).toMatchObject({
      ok: false,
      mistakes: [{ line: 2 }, { line: 2, file: dir.file('config/control/tcp.smtp') }],
    });
  });
});

describe('a gateway', () => {
  const gateway = '[gateway]\nlisten = "127.0.0.1:2113"\n';
  const said = () => checked().warnings.map(({ message }) => message);

  it('has nothing to show where the log is in an event store', () => {
    put('waybill.toml', gateway);
    expect(said()).toEqual([]);
    put('waybill.toml', `[log]\nengine = "kurrentdb"\nurl = "kurrentdb://db"\n${gateway}`);
    expect(said()).toEqual([expect.stringContaining('gateway.listen is not used')]);
  });
});

describe('the accounts of the roles', () => {
  const someone: Readonly<Record<string, SystemAccount>> = {
    root: { name: 'root', uid: 0, gid: 0 },
    ann: { name: 'ann', uid: 1001, gid: 2001 },
    bob: { name: 'bob', uid: 1002, gid: 2001 },
    cat: { name: 'cat', uid: 1003, gid: 2003 },
  };
  const accounts: SystemAccounts = {
    account: (key) => someone[key],
    gid: (key) => (/^\d+$/.test(key) ? Number(key) : undefined),
  };
  const ask = (door: string, queue: string, remote: string, desk?: string) => {
    const watched = `desk="${desk}"\n[desk]\nenabled=${desk !== undefined}\n`;
    put(
      'waybill.toml',
      `[users]\ndoor="${door}"\nqueue="${queue}"\nremote="${remote}"\n${watched}`,
    );
    return checkUsers(readConfig({ dir: dir.file('config'), env: {} }), accounts);
  };

  it('are told, whether they exist or not', () => {
    const { users, warnings } = ask('ann', 'new', 'cat:2009');
    expect(users).toEqual([
      { role: 'door', account: 'ann', uid: 1001, gid: 2001 },
      { role: 'queue', account: 'new' },
      { role: 'remote', account: 'cat', uid: 1003, gid: 2009 },
    ]);
    expect(warnings).toEqual([]);
    expect(describeUsers(users)).toBe(
      'door as ann (uid 1001), queue as new (no such account yet: made at the first start), remote as cat (uid 1003)',
    );
  });

  it('are told of the desk, where there is one', () => {
    const { users } = ask('ann', 'cat', 'new', 'watcher');
    expect(users.at(-1)).toEqual({ role: 'desk', account: 'watcher' });
  });

  it.each([
    ['keeps root', ['root', 'ann', 'cat'], /users\.door: .*keeps all of root's rights/],
    ['serves two roles', ['ann', 'cat', 'ann'], /remote and door are both ann/],
    [
      'is yet to be made and serves two roles',
      ['new', 'new', 'cat'],
      /queue and door are both new/,
    ],
    ['shares a group', ['ann', 'cat', 'bob'], /remote and door share a group/],
  ] as const)('are warned of when one %s', (_, [door, queue, remote], expected) => {
    expect(ask(door, queue, remote).warnings).toEqual([
      { file: dir.file('config/waybill.toml'), message: expect.stringMatching(expected) },
    ]);
  });

  it.each([
    ['a group that is not there', 'ann:nowhere', /users\.door: there is no group nowhere/],
    ['a number without an account', '4711', /users\.door: uid 4711 has no account/],
    ['a group of root’s', 'ann:0', /users\.door: ann is in root's group/],
    ['no number that there is', '4294967295:1', /users\.door: no such number/],
  ])('cannot be %s', (_, door, expected) => {
    expect(() => ask(door, 'ann', 'cat')).toThrow(expected);
  });

  it('are part of the answer', () => {
    put('waybill.toml', '[users]\ndoor = "4001:4002"\n');
    const { stdout } = run();
    expect(stdout).toContain(
      'started by root, runs door as 4001 (uid 4001), queue as waybill-queue',
    );
    expect(jsonLines(run('--json').stdout)[0]).toMatchObject({
      users: [
        { role: 'door', account: '4001', uid: 4001, gid: 4002 },
        { role: 'queue' },
        {},
        { role: 'desk' },
      ],
    });
  });
});

describe('a configuration', () => {
  it('as it comes has nothing to complain about', () => {
    expect(checked()).toMatchObject({ mistakes: [], warnings: [] });
  });

  it.each<[string, string, string, RegExp]>([
    [
      'users/assign without its end',
      'users/assign',
      '=joe:joe:::joe:::\n',
      /users\/assign:1 .*cut short/,
    ],
    [
      'an endpoint used twice',
      'waybill.toml',
      '[listen]\nsmtp=[":2525"]\nsubmission=[":2525"]',
      /taken by listen\.smtp/,
    ],
    [
      'smtps without a certificate',
      'waybill.toml',
      '[listen]\nsmtps=[":4465"]',
      /smtps needs a certificate/,
    ],
    [
      'a certificate that is not there',
      'waybill.toml',
      '[tls]\ncertificate="c"\nkey="k"',
      /config\/c .*file does not exist/,
    ],
    [
      'a default delivery that nobody understands',
      'control/defaultdelivery',
      '\n\n',
      /control\/defaultdelivery .*Uh-oh/,
    ],
  ])('with %s has a mistake', (_, path, text, expected) => {
    put(path, text);
    expect(
      checked().mistakes.map(
        ({ file, line, message }) => `${file}${line === undefined ? '' : `:${line}`} ${message}`,
      ),
    ).toEqual([expect.stringMatching(expected)]);
  });

  it.each<[string, string, string, RegExp]>([
    ['a control file that nobody reads', 'control/rcpthost', 'a.test\n', /no idea/],
    [
      'an assignment that never matches',
      'users/assign',
      '=joe:a:::a:::\n=joe:b:::b:::\n.\n',
      /never matches/,
    ],
    [
      'a load balancer that anybody is',
      'waybill.toml',
      '[listen]\nproxy_protocol=["127.0.0.1:2525"]\nproxy_from=["0.0.0.0/0"]',
      /may claim any address/,
    ],
    ['nothing that listens', 'waybill.toml', '[listen]\nsmtp=[]', /nothing listens/],
    [
      'an alias directory that is not there',
      'waybill.toml',
      '[local]\nalias="aliases"',
      /no mailbox/,
    ],
  ])('with %s deserves a warning', (_, path, text, expected) => {
    put(path, text);
    const { mistakes, warnings } = checked();
    expect(mistakes).toEqual([]);
    expect(warnings.map(({ message }) => message)).toEqual([expect.stringMatching(expected)]);
  });

  it('with a certificate: key and dates are looked at', () => {
    const mine = selfSigned('mail.demo.test');
    put('waybill.toml', '[tls]\ncertificate="c.pem"\nkey="k.pem"');
    put('c.pem', mine.cert);
    put('k.pem', selfSigned('other.test').key);
    expect(checked().mistakes).toMatchObject([
      { file: dir.file('config/k.pem'), message: expect.stringContaining('is not the key') },
    ]);
    put('k.pem', mine.key);
    expect(checked()).toMatchObject({
      mistakes: [],
      warnings: [{ message: expect.stringContaining('everybody') }],
    });
    const soon = checked(Date.UTC(2049, 11, 25)).warnings.map(({ message }) => message);
    expect(soon[0]).toMatch(/expires soon|expired/);
    put('c.pem', 'rubbish');
    expect(checked().mistakes).toMatchObject([{ message: 'is no certificate in PEM' }]);
  });
});

describe('the disk', () => {
  it('is measured, and left as it was', () => {
    const disk = checkDisk(dir.path);
    expect(disk).toMatchObject({ directory: dir.path, exists: true, network: false });
    expect(disk.syncMicros).toBeGreaterThan(0);
    expect(readdirSync(dir.path)).toEqual(['config']);
  });

  it('is that of the nearest directory where the data directory does not exist yet', () => {
    expect(checkDisk(dir.file('a/b/c'))).toMatchObject({ exists: false });
    expect(readdirSync(dir.path)).toEqual(['config']);
  });

  it('has its free room told in units that tell something', () => {
    const words = (freeBytes: number, syncMicros?: number) =>
      groundWords({ fileSystem: 'ext4', syncMicros, freeBytes });
    expect(words(66_000_000, 350)).toBe('ext4, a sync takes 350 us, 62 MiB free');
    expect(words(1e12)).toBe('ext4, no sync measured, 931 GiB free');
  });

  const sound = { fileSystem: 'ext4', network: false, syncMicros: 900, freeBytes: 1e12 };
  it.each([
    ['in memory', { fileSystem: 'tmpfs' }, /a reboot loses all letters/],
    ['behind a network', { fileSystem: 'nfs', network: true }, /network file system \(nfs\)/],
    ['that lies about syncs', { syncMicros: 3 }, /answers a sync in 3 us, which no disk can/],
    ['that is nearly full', { freeBytes: 1e8 }, /only 95 MiB left/],
  ])('%s deserves a warning', (_, fact, expected) => {
    expect(warningsOf(sound)).toEqual([]);
    expect(warningsOf({ ...sound, ...fact })).toEqual([expect.stringMatching(expected)]);
  });
});
