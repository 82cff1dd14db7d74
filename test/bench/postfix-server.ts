/** Postfix: a private instance, its own defaults but for the routes. Needs root and Debian's package. */
import { spawnSync, type ChildProcess } from 'node:child_process';
import { chownSync, cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openGroup } from './meter.ts';
import { emptied, greetsOrDies, killAll, spawnIn, type Ports, type Server } from './server.ts';
import { filesIn } from './waybill-server.ts';

export function postfixServer(folder: string, port: number, ports: Ports): Server {
  const conf = join(folder, 'conf');
  const group = openGroup(`postfix-${port}`);
  mkdirSync(join(folder, 'mail/bench'), { recursive: true });
  writeConfig(folder, conf, port, ports);
  let child: ChildProcess | undefined;
  return {
    ...{ name: 'postfix', port, group, mailbox: 'bench@local.test' },
    launch() {
      child = spawnIn(group, ['postfix', '-c', conf, 'start'], {}, () => undefined);
    },
    async start() {
      this.launch();
      await greetsOrDies(port, child!, true);
    },
    async stop() {
      spawnSync('postfix', ['-c', conf, 'stop'], { stdio: 'ignore', timeout: 20_000 });
      await emptied(group);
    },
    kill: () => killAll(group),
    delivered: () => filesIn(join(folder, 'mail/bench/new')),
  };
}

function writeConfig(folder: string, conf: string, port: number, { sink, dead }: Ports): void {
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
  writeFileSync(join(conf, 'master.cf'), masterCf.replace('LISTEN', `127.0.0.1:${port}`));
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
