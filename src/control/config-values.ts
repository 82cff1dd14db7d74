/** From the names and units of `waybill.toml` to the program's own: paths absolute, times in ms, sizes in bytes, '' absent. */
import { join, resolve } from 'node:path';
import { parseQuota } from '../mail/quota.ts';
import type { ConfigText } from './config-table.ts';
import type { Config, TlsFiles } from './config.ts';

/** A path as the file has it, relative to the configuration directory. */
type At = (path: string) => string;

/** `dir` and `dataDir` are absolute. */
export function valuesOf(text: ConfigText, dir: string, dataDir: string): Config {
  const { smtp, smtps, submission, proxy_protocol: listeners, proxy_from: from } = text.listen;
  const at: At = (path) => resolve(dir, path);
  return {
    ...{ dir, dataDir, controlDir: join(dir, 'control') },
    listen: { smtp, smtps, submission },
    proxies: { listeners, from },
    log: logOf(text.log, at),
    door: doorOf(text.door),
    tls: tlsFilesOf(text.tls, at),
    local: localOf(text.local, at),
    remote: remoteOf(text.remote),
    desk: deskOf(text.desk, at),
    gateway: { listen: text.gateway.listen, tls: tlsFilesOf(text.gateway, at) },
    nodes: nodesOf(text.nodes),
    users: text.users,
    projections: { folders: text.projections.folders.map(at) },
    stderr: text.stderr,
  };
}

const logOf = (log: ConfigText['log'], at: At): Config['log'] => ({
  engine: log.engine,
  eventStore: log.engine === 'kurrentdb' ? eventStoreOf(log, at) : undefined,
  inDoubt: log.in_doubt,
  minFreeBytes: log.min_free_mib * 1024 * 1024,
  copyTo: given(log.copy_to),
});

const eventStoreOf = (log: ConfigText['log'], at: At): Config['log']['eventStore'] => ({
  url: log.url,
  credentialsFile: givenPath(log.credentials_file, at),
  bodyDirectory: givenPath(log.body_directory, at),
});

const doorOf = (door: ConfigText['door']): Config['door'] => ({
  processes: door.processes,
  maxConnections: door.max_connections,
  maxConnectionsPerIp: door.max_connections_per_ip,
  idleTimeoutMs: door.idle_timeout_s * 1000,
  busyTimeoutMs: door.busy_timeout_s * 1000,
  minBytesPerSecond: door.min_bytes_per_second,
  greetingDelayMs: door.greeting_delay_ms,
  bareNewlines: door.bare_newlines,
  maxRecipients: door.max_recipients,
  maxFruitless: door.max_fruitless,
  refusalsPerMinute: door.refusals_per_minute,
});

const localOf = (local: ConfigText['local'], at: At): Config['local'] => ({
  defaultDelivery: local.default_delivery,
  users: at(local.users),
  alias: at(local.alias),
  accounts: local.accounts,
  programTimeoutMs: local.program_timeout_s * 1000,
  programProcesses: local.program_processes,
  maildirQuota: parseQuota(local.maildir_quota) ?? {},
  overQuota: local.over_quota,
});

const remoteOf = (remote: ConfigText['remote']): Config['remote'] => ({
  tls: remote.tls,
  idleMs: remote.idle_ms,
  maxPerConnection: remote.max_per_connection,
});

const deskOf = (desk: ConfigText['desk'], at: At): Config['desk'] => ({
  enabled: desk.enabled,
  listen: desk.listen,
  passwordFile: at(desk.password_file),
  hosts: desk.hosts.split(/[\s,]+/).filter((name) => name !== ''),
  credentialsFile: givenPath(desk.credentials_file, at),
});

const nodesOf = (nodes: ConfigText['nodes']): Config['nodes'] => ({
  name: given(nodes.name),
  beatMs: nodes.beat_ms,
  ttlMs: nodes.ttl_ms,
  fences: nodes.fences,
});

/** Both, or none: the schema sees to that. */
const tlsFilesOf = ({ certificate, key }: TlsFiles, at: At): TlsFiles | undefined =>
  certificate === '' ? undefined : { certificate: at(certificate), key: at(key) };

const given = (text: string): string | undefined => (text === '' ? undefined : text);

const givenPath = (path: string, at: At): string | undefined =>
  path === '' ? undefined : at(path);
