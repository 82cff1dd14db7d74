/**
 * What `waybill.toml` may say: every section and key, with type, bounds and default. Keys are spelled
 * as in the file; `config.ts` turns them into the names and units of the program.
 */
import { z } from 'zod';
import { normalizeIp } from '../mail/ip-address.ts';
import { parseQuota } from '../mail/quota.ts';
import { mistakeIn } from './event-store-address.ts';
import { parseNetwork } from './networks.ts';

/** Where to listen: an IP address and a TCP port (0: any free one). */
export type Endpoint = { readonly host: string; readonly port: number };

/** `127.0.0.1:2525`, `[::1]:2525`; `*:25` and `:25` mean every address. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const match = /^(.*):([0-9]{1,5})$/.exec(text.trim());
  if (!match) return undefined;
  const [, host = '', digits] = match;
  const port = Number(digits);
  const ip = host === '' || host === '*' ? '::' : normalizeIp(host);
  // A bare IPv6 address cannot be told from address and port.
  const bareIpv6 = host.includes(':') && !host.startsWith('[');
  return ip === undefined || bareIpv6 || port > 65_535 ? undefined : { host: ip, port };
}

const endpoint = z.string().transform((text, context) => {
  const parsed = parseEndpoint(text);
  if (parsed) return parsed;
  context.addIssue({
    code: 'custom',
    message: `not an address and port such as 127.0.0.1:2525: ${JSON.stringify(text)}`,
  });
  return z.NEVER;
});

const network = z.string().transform((text, context) => {
  const parsed = parseNetwork(text);
  if (parsed) return parsed;
  context.addIssue({
    code: 'custom',
    message: `not an address or network such as 10.0.0.0/8: ${JSON.stringify(text)}`,
  });
  return z.NEVER;
});

const endpoints = (...fallback: string[]) => z.array(endpoint).prefault(fallback);
const count = (fallback: number, least = 0, most = 1_000_000) =>
  z.int().min(least).max(most).default(fallback);
const path = (fallback: string) => z.string().min(1).default(fallback);

/** `name`, `name:group`, or their numbers. No account's name begins with a dash, which a program would take for an option. */
const accountPattern = /^[a-z0-9_][a-z0-9_.-]*\$?(:[a-z0-9_][a-z0-9_.-]*\$?)?$/i;
const account = (fallback: string) =>
  z
    .union([z.string(), z.int().min(0)])
    .transform(String)
    .refine((text) => accountPattern.test(text), {
      message: 'not an account such as "waybill-door", "waybill-door:mail" or "1001:1001"',
    })
    .prefault(fallback);

/** No waiting beyond node's timers, in milliseconds. */
const longestMs = 2 ** 31 - 1;

const sections = {
  listen: z.strictObject({
    smtp: endpoints('127.0.0.1:2525'),
    smtps: endpoints(),
    submission: endpoints(),
    proxy_protocol: endpoints(),
    proxy_from: z.array(network).prefault([]),
  }),
  log: z.strictObject({
    engine: z.enum(['sqlite', 'memory', 'kurrentdb']).default('sqlite'),
    url: z
      .string()
      .superRefine((url, context) => {
        const message = url === '' ? undefined : mistakeIn(url);
        if (message !== undefined) context.addIssue({ code: 'custom', message });
      })
      .default(''),
    credentials_file: z.string().default(''),
    body_directory: z.string().default(''),
    in_doubt: z.enum(['retry', 'hold']).default('retry'),
    min_free_mib: count(64),
    // What would end an address early, or a line of a report, is none.
    copy_to: z
      .string()
      .regex(/^[^\p{Cc}]*$/u)
      .max(255)
      .default(''),
  }),
  door: z.strictObject({
    processes: count(1, 1, 64),
    max_connections: count(500, 1),
    max_connections_per_ip: count(50),
    idle_timeout_s: count(300, 1, Math.floor(longestMs / 1000)),
    busy_timeout_s: count(10, 1, Math.floor(longestMs / 1000)),
    min_bytes_per_second: count(500),
    greeting_delay_ms: count(0, 0, 60_000),
    bare_newlines: z.enum(['refuse', 'normalize']).default('refuse'),
    max_recipients: count(10_000, 1),
    max_fruitless: count(300),
    refusals_per_minute: count(60),
  }),
  tls: z.strictObject({
    certificate: z.string().default(''),
    key: z.string().default(''),
  }),
  local: z.strictObject({
    default_delivery: z.string().min(1).default('./Maildir/'),
    users: path('users/assign'),
    alias: path('alias'),
    accounts: z.enum(['auto', 'system', 'none']).default('auto'),
    program_timeout_s: count(86_400, 1, Math.floor(longestMs / 1000)),
    program_processes: count(1000),
    maildir_quota: z
      .string()
      .refine((text) => parseQuota(text) !== undefined, {
        message: 'not a quota such as "50000000S,10000C" or "50M"',
      })
      .default(''),
    over_quota: z.enum(['fail', 'defer']).default('fail'),
  }),
  remote: z.strictObject({
    tls: z.enum(['opportunistic', 'off']).default('opportunistic'),
    idle_ms: count(5_000, 0, longestMs),
    max_per_connection: count(100, 1),
  }),
  desk: z.strictObject({
    enabled: z.boolean().default(true),
    listen: z
      .union([z.literal('').transform(() => undefined), endpoint])
      .prefault('127.0.0.1:8025'),
    password_file: path('desk.password'),
    hosts: z.string().default(''),
    credentials_file: z.string().default(''),
  }),
  gateway: z.strictObject({
    listen: z.union([z.literal('').transform(() => undefined), endpoint]).prefault(''),
    certificate: z.string().default(''),
    key: z.string().default(''),
  }),
  nodes: z.strictObject({
    // It is printed, and part of a stream's name.
    name: z
      .string()
      .regex(/^[^\p{Cc}]*$/u)
      .max(100)
      .default(''),
    beat_ms: count(5_000, 100, 60_000),
    ttl_ms: count(30_000, 300, 3_600_000),
    fences: z.boolean().default(false),
  }),
  users: z.strictObject({
    door: account('waybill-door'),
    queue: account('waybill-queue'),
    remote: account('waybill-remote'),
    desk: account('waybill-desk'),
    alias: account('alias'),
  }),
  projections: z.strictObject({
    folders: z.array(z.string().min(1)).prefault([]),
  }),
  stderr: z.strictObject({
    level: z.enum(['info', 'warn', 'error', 'silent']).default('info'),
  }),
};

type Sections = typeof sections;

export const sectionNames = Object.keys(sections) as readonly (keyof Sections)[];

/** The keys of a section, as the file spells them. */
export const keysOf = (section: keyof Sections): readonly string[] =>
  Object.keys(sections[section].shape);

/** Whether a key holds a list: its environment variable is then split at commas. */
export const isList = (section: string): boolean =>
  section === 'listen' || section === 'projections';

/** Whether a key is `true` or `false`. */
export const isFlag = (section: keyof Sections, key: string): boolean =>
  (sections[section].shape as { readonly [key: string]: z.ZodType })[key]?.safeParse(true)
    .success === true;

/** Whether a key holds a number. */
export function isNumber(section: keyof Sections, key: string): boolean {
  const shape: { readonly [key: string]: z.ZodType } = sections[section].shape;
  // What takes a number takes one of its own bounds, or has one when nothing is said; everything else refuses it.
  const type = shape[key];
  return (
    [1, 0].some((n) => type?.safeParse(n).success) ||
    typeof type?.safeParse(undefined).data === 'number'
  );
}

/** Which listeners are behind a load balancer, and where that is, go together. */
function proxyMistake(listen: z.output<typeof sections.listen>): string | undefined {
  const { proxy_protocol: proxied, proxy_from: from, ...listeners } = listen;
  const all = Object.values(listeners).flat();
  const stray = proxied.find(
    ({ host, port }) => !all.some((one) => one.host === host && one.port === port),
  );
  if (stray !== undefined) return `nothing listens on ${stray.host} port ${stray.port}`;
  return proxied.length > 0 && from.length === 0
    ? 'needs proxy_from: who is believed to be a load balancer'
    : undefined;
}

const hasBothOrNone = (tls: { readonly certificate: string; readonly key: string }): boolean =>
  (tls.certificate === '') === (tls.key === '');
const certificateAlone = { message: 'certificate and key go together: give both or none' };

export const configSchema = z.strictObject({
  listen: sections.listen.prefault({}).superRefine((listen, context) => {
    const message = proxyMistake(listen);
    if (message !== undefined)
      context.addIssue({ code: 'custom', message, path: ['proxy_protocol'] });
  }),
  log: sections.log.prefault({}).refine((log) => log.engine !== 'kurrentdb' || log.url !== '', {
    message: 'engine "kurrentdb" needs url, such as "kurrentdb://host:2113?tls=true"',
  }),
  door: sections.door.prefault({}),
  tls: sections.tls.prefault({}).refine(hasBothOrNone, certificateAlone),
  local: sections.local.prefault({}),
  remote: sections.remote.prefault({}),
  desk: sections.desk.prefault({}),
  gateway: sections.gateway.prefault({}).refine(hasBothOrNone, certificateAlone),
  nodes: sections.nodes.prefault({}).refine((nodes) => nodes.ttl_ms >= 3 * nodes.beat_ms, {
    message: 'ttl_ms must be three times beat_ms at least: a beat may be late',
  }),
  users: sections.users.prefault({}),
  projections: sections.projections.prefault({}),
  stderr: sections.stderr.prefault({}),
});

export type ConfigText = z.output<typeof configSchema>;
