import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readConfig } from '../../src/control/config.ts';
import { keysOf, parseEndpoint, sectionNames } from '../../src/control/config-table.ts';
import { findTomlLine } from '../../src/control/toml-lines.ts';
import { ControlMistake } from '../../src/mail/trouble.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'waybill-config-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function config(text: string, env: { [name: string]: string } = {}) {
  writeFileSync(join(dir, 'waybill.toml'), text);
  return readConfig({ dir, env });
}

describe('waybill.toml', () => {
  it('gives a node’s lease three beats at least', () => {
    expect(config('[nodes]\nname = "mail-1"\nbeat_ms = 500\nttl_ms = 1500\n').nodes).toEqual({
      ...{ name: 'mail-1', beatMs: 500, ttlMs: 1500, fences: false },
    });
    expect(config('', { WAYBILL_NODES_BEAT_MS: '1000' }).nodes.beatMs).toBe(1000);
    expect(() => config('[nodes]\nbeat_ms = 20000\n')).toThrow('three times beat_ms');
  });

  it('may be missing: everything has a default', () => {
    expect(readConfig({ dir, env: {}, data: '/data' })).toEqual({
      dir,
      controlDir: join(dir, 'control'),
      dataDir: '/data',
      listen: { smtp: [{ host: '127.0.0.1', port: 2525 }], smtps: [], submission: [] },
      proxies: { listeners: [], from: [] },
      log: {
        engine: 'sqlite',
        inDoubt: 'retry',
        minFreeBytes: 64 * 1024 * 1024,
        copyTo: undefined,
        eventStore: undefined,
      },
      door: {
        processes: 1,
        maxConnections: 500,
        maxConnectionsPerIp: 50,
        idleTimeoutMs: 300_000,
        busyTimeoutMs: 10_000,
        minBytesPerSecond: 500,
        greetingDelayMs: 0,
        bareNewlines: 'refuse',
        maxRecipients: 10_000,
        maxFruitless: 300,
        refusalsPerMinute: 60,
      },
      tls: undefined,
      local: {
        defaultDelivery: './Maildir/',
        users: join(dir, 'users/assign'),
        alias: join(dir, 'alias'),
        accounts: 'auto',
        programTimeoutMs: 86_400_000,
        programProcesses: 1000,
        maildirQuota: {},
        overQuota: 'fail',
      },
      remote: { tls: 'opportunistic', idleMs: 5000, maxPerConnection: 100 },
      desk: {
        enabled: true,
        listen: { host: '127.0.0.1', port: 8025 },
        passwordFile: join(dir, 'desk.password'),
        hosts: [],
      },
      gateway: { listen: undefined },
      users: {
        door: 'waybill-door',
        queue: 'waybill-queue',
        remote: 'waybill-remote',
        desk: 'waybill-desk',
        alias: 'alias',
      },
      nodes: { name: undefined, beatMs: 5_000, ttlMs: 30_000, fences: false },
      projections: { folders: [] },
      stderr: { level: 'info' },
    });
  });

  it('sets what it names and leaves the rest', () => {
    const { listen, door, tls, log } = config(`
      [listen]
      smtp = ["[::1]:25", ":2525"]
      [log]
      in_doubt = "hold"
      [door]
      bare_newlines = "normalize"
      [tls]
      certificate = "tls/c.pem"
      key = "/etc/k.pem"
    `);
    expect(listen.smtp).toEqual([
      { host: '::1', port: 25 },
      { host: '::', port: 2525 },
    ]);
    expect([door.bareNewlines, door.processes, log.inDoubt]).toEqual(['normalize', 1, 'hold']);
    expect(tls).toEqual({ certificate: join(dir, 'tls/c.pem'), key: '/etc/k.pem' });
  });

  it('names accounts by name or number', () => {
    const env = { WAYBILL_USERS_REMOTE: '1003:mail' };
    expect(config('[users]\ndoor = 1001\nqueue = "q:1002"', env).users).toEqual({
      door: '1001',
      queue: 'q:1002',
      remote: '1003:mail',
      desk: 'waybill-desk',
      alias: 'alias',
    });
    expect(config('', { WAYBILL_USERS_DOOR: '65534' }).users.door).toBe('65534');
  });

  it('cannot be changed once it is read', () => {
    const { door, listen } = config('');
    expect([Object.isFrozen(door), Object.isFrozen(listen.smtp)]).toEqual([true, true]);
  });

  it.each([
    ['[door]\nprocesses = 0', ':2: door.processes: '],
    ['[door]\n# x\nprocesses = "two"', ':3: door.processes: '],
    ['[door]\nprocesses = 1.5', ':2: door.processes: '],
    ['\n[door]\nspeed = 3', ':3: no such setting: door.speed'],
    ['[door]\n[local]\n[doors]\n', ':3: no such setting: doors'],
    ['stray = 1', ':1: no such setting: stray'],
    ['door = 3', ':1: door: '],
    ['door.speed = 3', ':1: no such setting: door.speed'],
    ['[log]\nengine = "floppy"', ':2: log.engine: '],
    ['[listen]\nsmtp = ["127.0.0.1"]', ':2: listen.smtp.0: not an address and port'],
    ['[listen]\nsmtp = [\n  "127.0.0.1:25",\n  "host:25",\n]', ':2: listen.smtp.1: not an address'],
    ['[listen]\nsmtp = "127.0.0.1:25"', ':2: listen.smtp: '],
    ['[log]\n\n[tls]\nkey = "k"', ':3: tls: certificate and key go together'],
    ['[users]\ndoor = "-x"', ':2: users.door: not an account'],
    ['[users]\n\nqueue = "a b"', ':3: users.queue: not an account'],
    ['[users]\nqueue = "a:b:c"', ':2: users.queue: not an account'],
    ['[users]\nremote = -1', ':2: users.remote: '],
    ['[local]\nmaildir_quota = "lots"', ':2: local.maildir_quota: not a quota such as'],
    ['[local]\naccounts = "some"', ':2: local.accounts: '],
    ['[users]\nlocal = "joe"', ':2: no such setting: users.local'],
    ['[door]\nprocesses = ', ':2: '],
    ['[door]\n[door]', ':2: '],
  ])('of %j has a mistake at %s', (text, where) => {
    expect(() => config(text)).toThrow(ControlMistake);
    expect(() => config(text)).toThrow(join(dir, 'waybill.toml') + where);
  });
});

describe('an environment variable', () => {
  it('overrides the file', () => {
    const { listen, door, local, nodes } = config('[door]\nprocesses = 2\nmax_connections = 9', {
      WAYBILL_DOOR_PROCESSES: '4',
      WAYBILL_LISTEN_SMTP: '127.0.0.1:1, [::1]:2',
      WAYBILL_LISTEN_SMTPS: '',
      WAYBILL_LOCAL_DEFAULT_DELIVERY: '123',
      WAYBILL_NODES_BEAT_MS: '3000',
      WAYBILL_CONFIG: 'elsewhere',
    });
    expect([door.processes, door.maxConnections]).toEqual([4, 9]);
    expect(listen.smtp.map(({ port }) => port)).toEqual([1, 2]);
    expect([listen.smtps, local.defaultDelivery]).toEqual([[], '123']);
    expect(nodes.beatMs).toBe(3_000);
  });

  it('is named when it is the mistake', () => {
    const cases = [
      [{ WAYBILL_DOOR_PROCESSES: 'many' }, 'WAYBILL_DOOR_PROCESSES: door.processes: '],
      [{ WAYBILL_LISTEN_SMTP: 'x' }, 'WAYBILL_LISTEN_SMTP: listen.smtp.0: not an address'],
      [{ WAYBILL_DOOR_SPEED: '1' }, 'WAYBILL_DOOR_SPEED: no such setting'],
    ] as const;
    for (const [env, message] of cases) expect(() => config('', env)).toThrow(message);
  });

  it('says where data lies, unless the command line does', () => {
    expect(config('', { WAYBILL_DATA: '/var/x' }).dataDir).toBe('/var/x');
    const env = { WAYBILL_DATA: '/var/x' };
    expect(readConfig({ dir, env, data: '/var/y' }).dataDir).toBe('/var/y');
    expect(config('').dataDir).toBe(resolve('data'));
  });
});

describe('an address to listen on', () => {
  it.each([
    ['127.0.0.1:2525', { host: '127.0.0.1', port: 2525 }],
    ['[::1]:25', { host: '::1', port: 25 }],
    ['*:25', { host: '::', port: 25 }],
    [':0', { host: '::', port: 0 }],
    ['::1:25', undefined],
    ['127.0.0.1', undefined],
    ['127.0.0.1:', undefined],
    ['127.0.0.1:65536', undefined],
    ['localhost:25', undefined],
  ])('%j is %j', (text, endpoint) => {
    expect(parseEndpoint(text)).toEqual(endpoint);
  });
});

describe('listeners behind a load balancer', () => {
  const listen = '[listen]\nsmtp = ["127.0.0.1:25", "10.0.0.5:25"]\n';
  it('are some of those that there are, with the balancers that are believed', () => {
    const text = `${listen}proxy_protocol = ["10.0.0.5:25"]\nproxy_from = ["10.0.0.0/24", "::1"]\n`;
    expect(config(text).proxies).toEqual({
      listeners: [{ host: '10.0.0.5', port: 25 }],
      from: [
        { ip: '10.0.0.0', prefix: 24 },
        { ip: '::1', prefix: 128 },
      ],
    });
    expect(config(listen).proxies).toEqual({ listeners: [], from: [] });
  });
  it.each([
    [
      'proxy_protocol = ["10.0.0.6:25"]\nproxy_from = ["10.0.0.7"]',
      /:3: .*nothing listens on 10\.0\.0\.6 port 25/,
    ],
    ['proxy_protocol = ["10.0.0.5:25"]', /:3: listen\.proxy_protocol: needs proxy_from/],
    ['proxy_from = ["10.0.0.0/33"]', /:3: .*not an address or network/],
    ['proxy_from = ["lb.example.org"]', /:3: .*not an address or network/],
  ])('%s is a mistake', (line, message) => {
    expect(() => config(`${listen}${line}\n`)).toThrow(message);
  });
});

describe('the sample waybill.toml', () => {
  const path = join(import.meta.dirname, '../../config/waybill.toml');
  const text = readFileSync(path, 'utf8');

  it('shows every key with its default', () => {
    const shown = text
      .replace(/^# ([a-z_]+ = )/gm, '$1')
      .replace(/^(certificate|key) = .*$/gm, '$1 = ""');
    expect(config(shown)).toEqual(config(''));
    expect(config(text)).toEqual(config(''));
    const lines = sectionNames.flatMap((section) =>
      keysOf(section).map(
        (key) => shown.split('\n')[(findTomlLine(shown, [section, key]) ?? 0) - 1],
      ),
    );
    const keys = sectionNames.flatMap((section) => keysOf(section));
    expect(lines.map((line) => line?.split(' ')[0])).toEqual(keys);
  });
});
