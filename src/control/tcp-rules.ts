/**
 * Who may connect, and with which variables: the text form of tcprules, read at once instead of
 * through a cdb (ucspi-tcp's rules.c). Ours besides: IPv6 addresses, bare or in brackets, and IPv6
 * prefixes of whole groups that end in a colon (`2001:db8:`).
 */
import { asciiLower } from '../mail/address.ts';
import { ipv6Groups, normalizeIp } from '../mail/ip-address.ts';
import { ControlMistake } from '../mail/trouble.ts';
import type { Note, Parsed } from './readers.ts';

export type TcpRule = {
  readonly line: number;
  /** As it is looked up: `INFO@IP`, `IP`, `1.2.`, `=HOST`, `=.dom`, `=` or `''`. */
  readonly key: string;
  readonly allow: boolean;
  readonly env: ReadonlyMap<string, string>;
};

/** By key; of equal keys the first line is kept, as in a cdb. */
export type TcpRules = ReadonlyMap<string, TcpRule>;

/** A client. `ip` in any spelling; `host` its checked reverse name, `info` what ident said. */
export type TcpClient = { readonly ip: string; readonly host?: string; readonly info?: string };

export type TcpDecision = {
  readonly allow: boolean;
  /** RELAYCLIENT, DATABYTES, … of the one matching rule; rules do not inherit. */
  readonly env: ReadonlyMap<string, string>;
  /** `tcp.smtp: 127.` as the key was found, `default` when no rule speaks for the client. */
  readonly rule: string;
};

/** Errors: `ControlMistake` with file and line, where tcprules would stop. */
export function parseTcpRules(text: string, file = 'tcp.smtp'): Parsed<TcpRules> {
  const rules = new Map<string, TcpRule>();
  const notes: Note[] = [];
  text.split('\n').forEach((raw, index) => {
    const line = index + 1;
    const content = raw.replace(/[ \t]+$/, '');
    if (content === '' || content.startsWith('#')) return;
    if (!content.includes(':')) {
      notes.push({ line, message: 'no colon: the line is ignored' });
      return;
    }
    const parsed = parseRule(content, file, line);
    if (parsed.length === 0) notes.push({ line, message: 'the range is empty' });
    for (const rule of parsed) {
      const first = rules.get(rule.key);
      if (first === undefined) rules.set(rule.key, rule);
      else notes.push({ line, message: `overruled by line ${first.line}: the first line wins` });
    }
    if (/^[ \t]/.test(content)) {
      notes.push({
        line,
        message: 'the line begins with blanks, which count as part of the address',
      });
    }
  });
  return { value: rules, notes };
}

/** An address may hold colons itself (IPv6), so the line splits where `allow` or `deny` begins. */
function parseRule(content: string, file: string, line: number): readonly TcpRule[] {
  const mistake = () =>
    new ControlMistake(file, line, `unable to parse this line: ${JSON.stringify(content)}`);
  const match = /^(.*?):(allow|deny)(?=,|$)(.*)$/.exec(content);
  const env = match && parseVariables(match[3] ?? '');
  const addresses = match && expandRange(match[1] ?? '');
  if (!match || !env || !addresses) throw mistake();
  return addresses.map((address) => ({
    ...{ line, env, allow: match[2] === 'allow' },
    key: toKey(address),
  }));
}

/** `,VAR="value",VAR=/value/`: the byte after `=` ends the value, too. */
function parseVariables(text: string): ReadonlyMap<string, string> | undefined {
  const env = new Map<string, string>();
  let rest = text;
  while (rest !== '') {
    const match = /^,([^=]*)=(.)/.exec(rest);
    if (!match) return undefined;
    const [start, name = '', delimiter = ''] = match;
    const end = rest.indexOf(delimiter, start.length);
    if (end < 0) return undefined;
    env.set(name, rest.slice(start.length, end));
    rest = rest.slice(end + 1);
  }
  return env;
}

/** `1.2.3.4-9` stands for six addresses; the upper limit ends at 255. */
function expandRange(address: string): readonly string[] | undefined {
  if (/[=@:]/.test(address) || !address.includes('-')) return [address];
  const match = /^(|.*?\.)([0-9]+)-([0-9]+)((?:\..*)?)$/.exec(address);
  if (!match) return undefined;
  const [, before = '', from, to, after = ''] = match;
  const last = Math.min(Number(to), 255);
  const count = Math.max(0, last - Number(from) + 1);
  return Array.from({ length: count }, (_, i) => `${before}${Number(from) + i}${after}`);
}

/** An address in the spelling that look-ups use. */
function toKey(address: string): string {
  if (address.startsWith('=')) return asciiLower(address);
  const at = address.lastIndexOf('@');
  const info = address.slice(0, at + 1);
  const host = address.slice(at + 1);
  if (host.startsWith('=')) return info + asciiLower(host);
  return info + (normalizeIp(host) ?? ipv6Prefix(host) ?? host);
}

/** `2001:0DB8:` as `2001:db8:`; `undefined` when it is none. */
function ipv6Prefix(text: string): string | undefined {
  if (!/^(?:[0-9a-f]{1,4}:){1,7}$/i.test(text)) return undefined;
  const groups = text.split(':').slice(0, -1);
  return groups.map((group) => `${Number.parseInt(group, 16).toString(16)}:`).join('');
}

/** Keys in the order of tcprules; the first that is there decides, and without any the client may come in. */
export function lookupTcpRule(rules: TcpRules, client: TcpClient): TcpDecision {
  for (const key of clientKeys(client)) {
    const rule = rules.get(key);
    if (rule !== undefined) return { allow: rule.allow, env: rule.env, rule: `tcp.smtp: ${key}` };
  }
  return { allow: true, env: new Map(), rule: 'default' };
}

function* clientKeys({ ip, host, info }: TcpClient): Generator<string> {
  const address = normalizeIp(ip) ?? ip;
  const name = host === undefined ? undefined : asciiLower(host);
  if (info !== undefined) yield `${info}@${address}`;
  if (info !== undefined && name !== undefined) yield `${info}@=${name}`;
  yield address;
  if (name !== undefined) yield `=${name}`;
  yield* prefixes(address);
  if (name !== undefined) {
    for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      yield `=${name.slice(dot)}`;
    }
    yield '=';
  }
  yield '';
}

/** Longest first: `1.2.3.`, `1.2.`, `1.`; of IPv6 every group counts, those that `::` hides, too. */
function* prefixes(address: string): Generator<string> {
  const groups = ipv6Groups(address)?.map((group) => group.toString(16));
  const parts = groups ?? address.split('.');
  const separator = groups ? ':' : '.';
  for (let n = parts.length - 1; n > 0; n -= 1) {
    yield parts.slice(0, n).join(separator) + separator;
  }
}
