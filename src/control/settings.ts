/**
 * The table of control files: one row each, with reader, unit, default, who reads it, and what it says.
 * Types, defaults, `waybill check` and docs/CONTROL.md come from here; nobody else knows a file's name.
 */
import { ControlMistake } from '../mail/trouble.ts';
import { normalizeIp } from '../mail/ip-address.ts';
import { FoldedSet } from './folded.ts';
import { parseAmount, parseLine, parseList, parsePairs, parseText, toPairMap } from './readers.ts';
import type { Entry, Note, Pair, Parsed } from './readers.ts';
import { checkRelay } from './relay.ts';

export type Reader = 'line' | 'amount' | 'list' | 'pairs' | 'text';

/** Who obeys a control. `inject` stands for the programs that put letters in: inject, sendmail. */
export type ControlReader = 'start' | 'door' | 'queue' | 'remote' | 'local' | 'inject' | 'qmqpc';

/** What a row needs to know besides its own file. `file` is its name for mistakes. */
type Around = { readonly me: string | undefined; readonly file: string };

export type Setting<Value> = {
  readonly reader: Reader;
  readonly unit?: string;
  /** What holds when the file is missing, in words. */
  readonly fallback: string;
  readonly readBy: readonly ControlReader[];
  readonly says: string;
  /** `text` is the whole file, `undefined` when there is none. Errors: `ControlMistake`. */
  readonly value: (text: string | undefined, around: Around) => Parsed<Value>;
};

type Says = readonly [readBy: readonly ControlReader[], says: string];

const absent = <T>(value: T): Parsed<T> => ({ value, notes: [] });

/** A row of the `line` reader; `otherwise` decides when there is no file. */
const line = <T>(
  fallback: string,
  [readBy, says]: Says,
  otherwise: (around: Around) => T,
): Setting<string | T> => ({
  ...{ reader: 'line', fallback, readBy, says },
  value: (text, around) => (text === undefined ? absent(otherwise(around)) : parseLine(text)),
});

/** A host name that defaults to `me`, and to its own name as a literal when that is missing, too. */
const host = (literal: string, ...says: Says): Setting<string> =>
  line(`\`me\`, else "${literal}"`, says, ({ me }) => me ?? literal);

/** A host name that defaults to `me`, without which nothing starts. */
const neededHost = (...says: Says): Setting<string> =>
  line('`me`, else nothing starts', says, ({ me, file }) => {
    if (me === undefined) throw new ControlMistake(file, undefined, 'missing, and so is me');
    return me;
  });

const word = (literal: string, ...says: Says): Setting<string> =>
  line(`"${literal}"`, says, () => literal);

/** An IP address; one that is none counts as missing. */
const address = (fallback: string, [readBy, says]: Says): Setting<string | undefined> => ({
  ...{ reader: 'line', fallback, readBy, says },
  value: (text) => {
    if (text === undefined) return absent(undefined);
    const { value, notes } = parseLine(text);
    const ip = normalizeIp(value);
    if (ip !== undefined || value === '') return { value: ip, notes };
    return { value: ip, notes: [{ line: 1, message: 'not an IP address: the file is ignored' }] };
  },
});

type Bounds = { readonly least?: number; readonly most?: number };

/** A number; what is out of bounds is moved to the nearest bound, with a note. */
const amount = <T extends number | undefined>(
  unit: string,
  fallback: T,
  [readBy, says]: Says,
  {
    least = 0,
    most = Number.MAX_SAFE_INTEGER,
    inWords = String(fallback),
  }: Bounds & {
    readonly inWords?: string;
  } = {},
): Setting<number | T> => ({
  ...{ reader: 'amount', unit, fallback: inWords, readBy, says },
  value: (text) => {
    if (text === undefined) return absent(fallback);
    const { value, notes } = parseAmount(text);
    if (value === undefined) return { value: fallback, notes };
    const bounded = Math.min(Math.max(value, least), most);
    if (bounded === value) return { value, notes };
    return { value: bounded, notes: [...notes, { line: 1, message: `becomes ${bounded}` }] };
  },
});

/** Waiting longer than this many seconds is beyond node's timers. */
const longestTimeoutS = 2_147_483;

const toSet = (entries: readonly Entry[]): ReadonlySet<string> =>
  new FoldedSet(entries.map(({ text }) => text));

/** Entries; `otherwise` decides when there is no file, `check` looks at each entry. */
const lines = <T>(
  fallback: string,
  [readBy, says]: Says,
  otherwise: (around: Around) => T,
  check: (entry: Entry) => readonly Note[] = () => [],
): Setting<ReadonlySet<string> | T> => ({
  ...{ reader: 'list', fallback, readBy, says },
  value: (text, around) => {
    if (text === undefined) return absent(otherwise(around));
    const { value, notes } = parseList(text);
    return { value: toSet(value), notes: [...notes, ...value.flatMap(check)] };
  },
});

const none = (): ReadonlySet<string> => new FoldedSet();

const pairs = (
  [readBy, says]: Says,
  check: (pair: Pair) => readonly Note[] = () => [],
): Setting<ReadonlyMap<string, string>> => ({
  ...{ reader: 'pairs', fallback: 'none', readBy, says },
  value: (text) => {
    const { value, notes } = parsePairs(text ?? '');
    return { value: toPairMap(value), notes: [...notes, ...value.flatMap(check)] };
  },
});

const text = (fallback: string, [readBy, says]: Says): Setting<string | undefined> => ({
  ...{ reader: 'text', fallback, readBy, says },
  value: (content) => (content === undefined ? absent(undefined) : parseText(content)),
});

const localsOrMe = ({ me, file }: Around): ReadonlySet<string> => {
  if (me === undefined) throw new ControlMistake(file, undefined, 'missing, and so is me');
  return new FoldedSet([me]);
};

const notAnAddress = ({ line: number, text: entry }: Entry): readonly Note[] =>
  normalizeIp(entry) === undefined
    ? [{ line: number, message: 'not an IP address: the line is ignored' }]
    : [];

// prettier-ignore
export const settings = {
  me: line('none', [['start', 'door', 'queue', 'remote', 'inject'], 'Fully qualified name of this host; the default of many others.'], () => undefined),
  badmailfrom: lines('none', [['door'], 'Return paths refused at RCPT: `user@host`, or `@host` for everybody at exactly that host.'], none),
  bouncefrom: word('MAILER-DAEMON', ['queue'], 'User part of the From of a bounce.'),
  bouncehost: host('bouncehost', ['queue'], 'Host part of the From of a bounce, and our name in its text.'),
  concurrencyincoming: amount('connections', undefined, [['door'], 'SMTP connections at once; overrides `max_connections` of `[door]` in waybill.toml.'], { inWords: '`[door] max_connections`', least: 1 }),
  concurrencylocal: amount('slots', 10, [['queue'], 'Local attempts at once; 0 holds the channel.']),
  concurrencyremote: amount('slots', 20, [['queue'], 'Remote attempts at once; 0 holds the channel.']),
  databytes: amount('bytes', 0, [['door'], 'Largest letter accepted, a line end counted as one byte; 0 for any size.']),
  defaultdelivery: text('`[local] default_delivery`', [['local'], 'Instructions for a user whose .qmail is missing or empty; the syntax is that of .qmail. Overrides `default_delivery` of `[local]` in waybill.toml.']),
  defaultdomain: host('defaultdomain', ['inject'], 'Appended to host names without a dot.'),
  defaulthost: host('defaulthost', ['inject'], 'Added to addresses without `@`.'),
  doublebouncehost: host('doublebouncehost', ['queue'], 'Host of the address that double bounces go to.'),
  doublebounceto: word('postmaster', ['queue'], 'User of the address that double bounces go to; an empty file throws them away.'),
  envnoathost: host('envnoathost', ['queue'], 'Added to envelope recipients without `@`.'),
  helohost: neededHost(['remote'], 'What we call ourselves to other servers.'),
  idhost: host('idhost', ['inject'], 'Host in the Message-ID of letters that have none.'),
  localiphost: line('`me`, else off', [['door'], 'Replaces `[our.ip.address]` in MAIL and RCPT.'], ({ me }) => me),
  locals: lines('one entry: `me`', [['queue', 'door'], 'Domains whose users live here. An empty file means: none.'], localsOrMe),
  morercpthosts: lines('none', [['door'], 'More of `rcpthosts`, and only looked at when that exists. No cdb is needed; where `morercpthosts.cdb` exists, it counts instead, and is looked into anew for each recipient.'], none),
  outgoingip: address("the system's choice", [['remote'], 'Address that outgoing connections come from.']),
  percenthack: lines('none', [['queue'], 'Domains where `user%host@domain` means `user@host`. On a public server, a way to relay.'], none),
  plusdomain: host('plusdomain', ['inject'], 'Replaces a `+` at the end of a host name.'),
  qmqpservers: lines('none', [['qmqpc'], 'IP addresses of QMQP servers, in the order to try them.'], none, notAnAddress),
  queuelifetime: amount('seconds', 604_800, [['queue'], 'Age of a letter from which on a deferral is a failure.']),
  rcpthosts: lines('what is delivered here (locals and virtualdomains)', [['door'], 'Domains accepted at RCPT from strangers; `.host` means every host below it.'], () => undefined),
  smtpgreeting: neededHost(['door'], 'What follows 220, 221 and 250.'),
  smtproutes: pairs([['queue'], '`host:relay[:port]`: where letters for host go instead of its MX; `.host` for all below, an empty host for all, an empty relay for the MX after all.'], checkRelay),
  timeoutconnect: amount('seconds', 60, [['remote'], 'Longest wait for a connection.'], { most: longestTimeoutS }),
  timeoutremote: amount('seconds', 1200, [['remote'], 'Longest wait for one reply of a remote server.'], { most: longestTimeoutS }),
  timeoutsmtpd: amount('seconds', 1200, [['door'], 'Longest wait for a client; without a letter under way `idle_timeout_s` of `[door]` may end it sooner.'], { least: 1, most: longestTimeoutS }),
  virtualdomains: pairs([['queue', 'door'], '`key:prefix`: letters for key go to local `prefix-user@domain`; key is an address, a domain, `.domain` for all below, or empty for all; an empty prefix means: not virtual.']),
} as const;

export type ControlName = keyof typeof settings;

type ValueOf<S> = S extends Setting<infer Value> ? Value : never;

/** The values of all control files, with defaults filled in. */
export type Controls = { readonly [Name in ControlName]: ValueOf<(typeof settings)[Name]> };

export const controlNames = Object.keys(settings) as readonly ControlName[];

/** Access rules in tcprules text: read apart (`tcp-rules.ts`), as they are no control file of qmail's. */
export const tcpRulesFile = 'tcp.smtp';
