/**
 * `waybill.toml`: what qmail had no control file for. Each key can be set by an environment variable
 * `WAYBILL_<SECTION>_<KEY>`, which wins over the file (lists are split at commas).
 */
import { join, resolve } from 'node:path';
import { parse as parseToml, TomlError } from 'smol-toml';
import type { z } from 'zod';
import type { Quota } from '../mail/quota.ts';
import { ControlMistake } from '../mail/trouble.ts';
import type { Level } from '../platform/logger.ts';
import { configSchema, isFlag, isList, isNumber, keysOf, sectionNames } from './config-table.ts';
import type { ConfigText, Endpoint } from './config-table.ts';
import { valuesOf } from './config-values.ts';
import type { Network } from './networks.ts';
import { readOperatorsFile } from './operators-file.ts';
import { findTomlLine } from './toml-lines.ts';

export type Config = {
  /** The configuration directory, `control/` in it, and where data lies; absolute paths, as all below. */
  readonly dir: string;
  readonly controlDir: string;
  readonly dataDir: string;
  readonly listen: {
    readonly smtp: readonly Endpoint[];
    readonly smtps: readonly Endpoint[];
    readonly submission: readonly Endpoint[];
  };
  /** Of these, those that load balancers alone connect to, with the PROXY protocol; and where such are. */
  readonly proxies: { readonly listeners: readonly Endpoint[]; readonly from: readonly Network[] };
  readonly log: {
    readonly engine: 'sqlite' | 'memory' | 'kurrentdb';
    /** Where the event store is, of engine `kurrentdb`. */
    readonly eventStore: EventStore | undefined;
    /** What becomes of an attempt that nobody knows the end of. */
    readonly inDoubt: 'retry' | 'hold';
    /** Below it no letters are taken; 0: until the disk is full. */
    readonly minFreeBytes: number;
    /** First recipient of every letter (qmail's QUEUE_EXTRA), if any. */
    readonly copyTo: string | undefined;
  };
  readonly door: {
    readonly processes: number;
    /** For all door processes together; the control file concurrencyincoming overrides it. */
    readonly maxConnections: number;
    /** Relay clients excepted; 0: any number. */
    readonly maxConnectionsPerIp: number;
    readonly idleTimeoutMs: number;
    readonly busyTimeoutMs: number;
    readonly minBytesPerSecond: number;
    readonly greetingDelayMs: number;
    readonly bareNewlines: 'refuse' | 'normalize';
    readonly maxRecipients: number;
    /** Commands that bring no letter on, since the last letter; 0: any number. */
    readonly maxFruitless: number;
    /** Refusals recorded per minute and door; more are only counted. */
    readonly refusalsPerMinute: number;
  };
  readonly tls: TlsFiles | undefined;
  readonly local: {
    /** Instructions as in .qmail; the control file defaultdelivery overrides them. */
    readonly defaultDelivery: string;
    readonly users: string;
    readonly alias: string;
    /** Whether the machine's accounts have mailboxes; `auto`: when started by root. */
    readonly accounts: 'auto' | 'system' | 'none';
    readonly programTimeoutMs: number;
    /** How many processes of one user there may be when a program of his starts; 0: as many as the system allows. */
    readonly programProcesses: number;
    /** Of Maildirs that have none of their own. */
    readonly maildirQuota: Quota;
    readonly overQuota: 'fail' | 'defer';
  };
  readonly remote: {
    readonly tls: 'opportunistic' | 'off';
    readonly idleMs: number;
    readonly maxPerConnection: number;
  };
  /** The role that watches: views, search, the web page. */
  readonly desk: {
    readonly enabled: boolean;
    /** Of the web page; `undefined`: none. */
    readonly listen: Endpoint | undefined;
    /** The scrypt line of its password; need not exist while nobody elsewhere can reach it. */
    readonly passwordFile: string;
    /** Names by which browsers may call it, besides those of the loopback. */
    readonly hosts: readonly string[];
    /** `user:password` of the event store for the desk, which only reads; absent: the queue's. */
    readonly credentialsFile: string | undefined;
  };
  /** The log in the event store's own protocol, served by the desk. */
  readonly gateway: { readonly listen: Endpoint | undefined; readonly tls: TlsFiles | undefined };
  /** This engine among others that share an event store. */
  readonly nodes: {
    /** Its own among them, and the same at each start; absent: the machine's. */
    readonly name: string | undefined;
    readonly beatMs: number;
    readonly ttlMs: number;
    /** Whether the event store itself refuses what a node whose lease was taken wants to begin. */
    readonly fences: boolean;
  };
  /** Whom each role runs as when started by root: `name`, `name:group`, or numbers. Not looked up here. */
  readonly users: {
    readonly door: string;
    readonly queue: string;
    readonly remote: string;
    readonly desk: string;
    /** Not a role: whom the files of addresses that are no user's run as. */
    readonly alias: string;
  };
  /** Folders with questions of one's own to the log (`waybill ask`). */
  readonly projections: { readonly folders: readonly string[] };
  /** The engine's own words (`platform/logger.ts`). */
  readonly stderr: { readonly level: Level };
};

/** PEM files. */
export type TlsFiles = { readonly certificate: string; readonly key: string };

export type EventStore = {
  readonly url: string;
  /** Holds `user:password`; read by who dials, and by nobody else. */
  readonly credentialsFile: string | undefined;
  /** Where bodies lie, for all nodes; absent: in the event store. */
  readonly bodyDirectory: string | undefined;
};

export type Environment = { readonly [name: string]: string | undefined };

type Places = { readonly dir: string; readonly env: Environment; readonly data?: string };

/**
 * Reads `waybill.toml` of a directory; without that file everything has its default. `data` is where
 * data lies, else `WAYBILL_DATA`, else `./data`.
 * Errors: `ControlMistake` naming file and line, or the environment variable.
 */
export function readConfig({ dir, env, data }: Places): Config {
  return toConfig(readConfigText({ dir, env }), dir, data ?? (env['WAYBILL_DATA'] || 'data'));
}

/** The same as it is spelled in the file, with every default. */
export function readConfigText({ dir, env }: Omit<Places, 'data'>): ConfigText {
  const file = join(dir, 'waybill.toml');
  const text = readOperatorsFile(file)?.toString('utf8') ?? '';
  const table = parseTable(text, file);
  const fromEnv = applyEnvironment(table, env);
  const parsed = configSchema.safeParse(table);
  if (!parsed.success) throw toMistake(parsed.error.issues, { text, file, fromEnv });
  return parsed.data;
}

/** In the program's names and units; `dir` and `data` are the directories as `readConfig` has them. */
export const toConfig = (text: ConfigText, dir: string, data: string): Config =>
  deepFreeze(valuesOf(text, resolve(dir), resolve(data)));

type Table = Record<string, unknown>;

const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parseTable(text: string, file: string): Table {
  try {
    return parseToml(text);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const message = cause.message.split('\n')[0]?.replace(/^Invalid TOML document: /, '');
    throw new ControlMistake(file, cause.line, message ?? 'not TOML');
  }
}

/** Puts the variables into the table; returns which variable set which `section.key`. */
function applyEnvironment(table: Table, env: Environment): ReadonlyMap<string, string> {
  const from = new Map<string, string>();
  for (const section of sectionNames) {
    const prefix = `WAYBILL_${section.toUpperCase()}_`;
    const keys = new Map(keysOf(section).map((key) => [prefix + key.toUpperCase(), key]));
    for (const [name, value] of Object.entries(env)) {
      if (!name.startsWith(prefix) || value === undefined) continue;
      const key = keys.get(name);
      if (key === undefined) throw new ControlMistake(name, undefined, 'no such setting');
      const into = (table[section] ??= {});
      // A section that is no table is a mistake of the file, found by the schema.
      if (isTable(into)) into[key] = fromText(section, key, value);
      from.set(`${section}.${key}`, name);
    }
  }
  return from;
}

function fromText(section: (typeof sectionNames)[number], key: string, text: string): unknown {
  if (isList(section))
    return text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  if (isFlag(section, key) && /^(true|false)$/.test(text)) return text === 'true';
  return isNumber(section, key) && /^[0-9]+$/.test(text) ? Number(text) : text;
}

type Source = {
  readonly text: string;
  readonly file: string;
  readonly fromEnv: ReadonlyMap<string, string>;
};

/** The first issue, as a sentence about a line of the file or about a variable. */
function toMistake(
  issues: readonly z.core.$ZodIssue[],
  { text, file, fromEnv }: Source,
): ControlMistake {
  const issue = issues[0];
  const path = (issue?.path ?? []).map(String);
  if (issue?.code === 'unrecognized_keys') {
    const unknown = [...path, issue.keys[0] ?? ''];
    return new ControlMistake(
      file,
      findTomlLine(text, unknown),
      `no such setting: ${unknown.join('.')}`,
    );
  }
  const message = `${path.join('.')}: ${issue?.message ?? 'not understood'}`;
  const variable = fromEnv.get(path.slice(0, 2).join('.'));
  if (variable !== undefined) return new ControlMistake(variable, undefined, message);
  return new ControlMistake(file, findTomlLine(text, path.slice(0, 2)), message);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
