/** The servers that are compared: each with its default durability, at most twenty connections out. */
import { spawn, spawnSync } from 'node:child_process';
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { openGroup, type Group } from './meter.ts';

export type Ports = { readonly listen: number; readonly sink: number; readonly dead: number };

export type Server = {
  readonly name: string;
  /** Everything it does is counted here. */
  readonly group: Group;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Delivered to the local mailbox so far. */
  delivered(): number;
  /** Where letters for the local mailbox go. */
  readonly mailbox: string;
};

const repository = resolve(import.meta.dirname, '../..');

export function waybill(
  folder: string,
  ports: Ports,
  env: Readonly<Record<string, string>> = {},
): Server {
  const config = join(folder, 'config');
  const data = join(folder, 'data');
  const group = openGroup('waybill');
  writeWaybillConfig(config, ports);
  let end: (() => Promise<void>) | undefined;
  return {
    name: 'waybill',
    group,
    mailbox: 'bench@local.test',
    async start() {
      const main = join(repository, 'src/cli/main.ts');
      const args = [main, '--config', config, '--data', data, 'serve'];
      const child = spawnIn(
        group,
        [process.execPath, '--disable-warning=ExperimentalWarning', ...args],
        env,
      );
      end = () =>
        new Promise((done) => {
          child.once('exit', () => done());
          child.kill('SIGTERM');
        });
      await greets(ports.listen);
    },
    async stop() {
      await end?.();
      end = undefined;
    },
    delivered: () => filesIn(join(data, 'mail/bench/Maildir/new')),
  };
}

function writeWaybillConfig(config: string, { listen, sink, dead }: Ports): void {
  const put = (name: string, text: string) => {
    mkdirSync(join(config, name, '..'), { recursive: true });
    writeFileSync(join(config, name), text);
  };
  put('waybill.toml', `[listen]\nsmtp = ["127.0.0.1:${listen}"]\n`);
  put('control/me', 'bench.test\n');
  put('control/locals', 'local.test\nbench.test\n');
  put('control/rcpthosts', 'local.test\nbench.test\n');
  put('control/smtproutes', `sink.test:127.0.0.1:${sink}\ndead.test:127.0.0.1:${dead}\n`);
  put('control/tcp.smtp', '127.:allow,RELAYCLIENT=""\n');
  // As many as Postfix is given for one mailbox.
  put('control/concurrencylocal', '20\n');
  put('users/assign', '=bench:bench:::mail/bench:::\n.\n');
  put('alias/.qmail-postmaster', '&bench@local.test\n');
}

/** Needs root and an installed Postfix; a private instance in `folder`, its own defaults but for the routes. */
export function postfix(folder: string, ports: Ports): Server {
  const conf = join(folder, 'conf');
  const group = openGroup('postfix');
  mkdirSync(join(folder, 'mail/bench'), { recursive: true });
  writePostfixConfig(folder, conf, ports);
  const mailbox = join(folder, 'mail/bench/new');
  return {
    name: 'postfix',
    group,
    mailbox: 'bench@local.test',
    async start() {
      const child = spawnIn(group, ['postfix', '-c', conf, 'start'], {});
      await new Promise((done) => child.once('exit', done));
      await greets(ports.listen);
    },
    async stop() {
      spawnSync('postfix', ['-c', conf, 'stop'], { stdio: 'ignore' });
      while (group.pids().length > 0) await new Promise((done) => setTimeout(done, 50));
    },
    delivered: () => filesIn(mailbox),
  };
}

function writePostfixConfig(folder: string, conf: string, { listen, sink, dead }: Ports): void {
  for (const name of ['conf', 'spool', 'data', 'log'])
    mkdirSync(join(folder, name), { recursive: true });
  const [uid, gid] = idsOf('postfix');
  const [nobody, nogroup] = idsOf('nobody');
  for (const name of ['data', 'log']) chownSync(join(folder, name), uid, gid);
  chownSync(join(folder, 'mail/bench'), nobody, nogroup);
  for (const name of ['postfix-files', 'dynamicmaps.cf']) {
    if (existsSync(`/etc/postfix/${name}`)) cpSync(`/etc/postfix/${name}`, join(conf, name));
  }
  const routes = `{ sink.test = smtp:[127.0.0.1]:${sink} }, { dead.test = smtp:[127.0.0.1]:${dead} }`;
  const settings = {
    compatibility_level: '3.6',
    queue_directory: `${folder}/spool`,
    data_directory: `${folder}/data`,
    mail_owner: 'postfix',
    setgid_group: 'postdrop',
    maillog_file: `${folder}/log/maillog`,
    maillog_file_prefixes: folder,
    myhostname: 'bench.test',
    mydestination: 'bench.test',
    mynetworks: '127.0.0.0/8',
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    smtpd_relay_restrictions: 'permit_mynetworks, reject',
    smtp_dns_support_level: 'disabled',
    smtp_host_lookup: 'native',
    transport_maps: `inline:{ ${routes} }`,
    default_destination_concurrency_limit: '20',
    virtual_mailbox_domains: 'local.test',
    virtual_mailbox_base: `${folder}/mail`,
    virtual_mailbox_maps: 'inline:{ { bench@local.test = bench/ } }',
    virtual_minimum_uid: '100',
    virtual_uid_maps: `static:${nobody}`,
    virtual_gid_maps: `static:${nogroup}`,
    alias_maps: '',
    alias_database: '',
    // Stock is 1s, which ties intake to the speed of delivery; without it Postfix is faster.
    in_flow_delay: '0',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  writeFileSync(join(conf, 'main.cf'), `${lines.join('\n')}\n`);
  writeFileSync(join(conf, 'master.cf'), masterCf.replace('LISTEN', `127.0.0.1:${listen}`));
}

const masterCf = `LISTEN inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`;

function idsOf(user: string): [number, number] {
  const line = spawnSync('getent', ['passwd', user], { encoding: 'utf8' }).stdout.split(':');
  return [Number(line[2]), Number(line[3])];
}

/** A shell joins the group before it becomes the program, so that nothing escapes the count. */
function spawnIn(group: Group, argv: readonly string[], env: Readonly<Record<string, string>>) {
  const child = spawn('sh', ['-c', 'read go && exec "$@"', 'sh', ...argv], {
    stdio: ['pipe', 'ignore', 'inherit'],
    env: { ...process.env, WAYBILL_VERBOSITY: 'error', ...env },
  });
  group.add(child.pid!);
  child.stdin.end('go\n');
  return child;
}

function filesIn(folder: string): number {
  try {
    return readdirSync(folder).length;
  } catch {
    return 0;
  }
}

async function greets(port: number): Promise<void> {
  for (const until = Date.now() + 30_000; Date.now() < until;) {
    const heard = await new Promise<boolean>((done) => {
      const socket = connect(port, '127.0.0.1');
      socket.setTimeout(1_000, () => socket.destroy());
      socket.once('error', () => done(false));
      socket.once('close', () => done(false));
      socket.once('data', (data) => {
        done(data.toString().startsWith('220'));
        socket.end('QUIT\r\n');
      });
    });
    if (heard) return;
    await new Promise((done) => setTimeout(done, 20));
  }
  throw new Error(`nobody greets on port ${port}`);
}

/** Fresh for every round: no server profits from what another left on the disk. */
export function wipe(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o755 });
}
