/**
 * Who may connect, and with which variables: the text form of tcprules, read at once instead of
 * through a cdb (ucspi-tcp's rules.c). Ours besides: IPv6 addresses, bare or in brackets, and IPv6
 * prefixes of whole groups that end in a colon (`2001:db8:`).
 */
import { asciiLower } from '../mail/address.ts';
import { ipv6Groups, normalizeIp } from '../mail/ip-address.ts';
import { ControlMistake } from '../mail/trouble.ts';
import type { Note, Parsed } from './readers.ts';
import { ipv6Prefix, parseTcpRuleLine, toRuleText } from './tcp-rule-lines.ts';

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
    const content = toRuleText(raw);
    if (content === undefined) return;
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

function parseRule(content: string, file: string, line: number): readonly TcpRule[] {
  const parsed = parseTcpRuleLine(content);
  if (parsed === undefined) {
    const message = `unable to parse this line: ${JSON.stringify(content)}`;
    throw new ControlMistake(file, line, message);
  }
  const { addresses, allow, variables } = parsed;
  const env = new Map(variables);
  return addresses.map((address) => ({ line, env, allow, key: toKey(address) }));
}

/** An address in the spelling that look-ups use. */
export function toKey(address: string): string {
  if (address.startsWith('=')) return asciiLower(address);
  const at = address.lastIndexOf('@');
  const info = address.slice(0, at + 1);
  const host = address.slice(at + 1);
  if (host.startsWith('=')) return info + asciiLower(host);
  return info + (normalizeIp(host) ?? ipv6Prefix(host) ?? host);
}

/** Keys in the order of tcprules; the first that is there decides, and without any the client may come in. */
export function lookupTcpRule(rules: TcpRules, client: TcpClient): TcpDecision {
  const ip = normalizeIp(client.ip) ?? client.ip;
  const named = client.host === undefined ? {} : { host: asciiLower(client.host) };
  for (const key of clientKeys({ ...client, ip, ...named })) {
    const rule = rules.get(key);
    if (rule !== undefined) return { allow: rule.allow, env: rule.env, rule: `tcp.smtp: ${key}` };
  }
  return { allow: true, env: new Map(), rule: 'default' };
}

/** The keys that may speak for a client, in the order to ask; its addresses and names as they are given. */
export function* clientKeys({ ip, host, info }: TcpClient): Generator<string> {
  if (info !== undefined) yield `${info}@${ip}`;
  if (info !== undefined && host !== undefined) yield `${info}@=${host}`;
  yield ip;
  if (host !== undefined) yield `=${host}`;
  yield* prefixes(ip);
  if (host !== undefined) {
    for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) {
      yield `=${host.slice(dot)}`;
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
