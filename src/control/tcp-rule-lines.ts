/**
 * The grammar of an access rule, `ADDRESS:allow,NAME="value"` (ucspi-tcp's tcprules): one line in, what it
 * says out. What becomes of it is another's business: `tcp-rules.ts` obeys it, `tcp-rules-cdb.ts` compiles it.
 */
import { normalizeIp } from '../mail/ip-address.ts';
import { trimBlanksEnd } from '../mail/trim-blanks.ts';

export type TcpRuleLine = {
  /** As written; several where the line has a range, none where the range is empty. */
  readonly addresses: readonly string[];
  readonly allow: boolean;
  /** In their order; a name may come twice. */
  readonly variables: readonly (readonly [name: string, value: string])[];
};

/** A line as it counts: without trailing blanks; `undefined` for an empty one and for a comment. */
export function toRuleText(line: string): string | undefined {
  const text = trimBlanksEnd(line);
  return text === '' || text.startsWith('#') ? undefined : text;
}

/**
 * Reads a line that has a colon; `undefined` where it means nothing. An IPv6 address holds colons itself,
 * so the line splits where `allow` or `deny` begins. `bareRanges`: as tcprules has it, a range may
 * lack a number, which is then 0.
 */
export function parseTcpRuleLine(text: string, bareRanges = false): TcpRuleLine | undefined {
  const match = /^(.*?):(allow|deny)(?=,|$)(.*)$/s.exec(text);
  if (!match) return undefined;
  const [, address = '', verb, rest = ''] = match;
  if (address.includes(':') && !isIpv6(address)) return undefined;
  const variables = parseVariables(rest);
  const addresses = expandRange(address, bareRanges);
  if (!variables || !addresses) return undefined;
  return { addresses, variables, allow: verb === 'allow' };
}

/** An address or a prefix of whole groups, with or without an ident in front. */
function isIpv6(address: string): boolean {
  const host = address.slice(address.lastIndexOf('@') + 1);
  return normalizeIp(host) !== undefined || ipv6Prefix(host) !== undefined;
}

/** `2001:0DB8:` as `2001:db8:`; `undefined` when it is none. */
export function ipv6Prefix(text: string): string | undefined {
  if (!/^(?:[0-9a-f]{1,4}:){1,7}$/i.test(text)) return undefined;
  const groups = text.split(':').slice(0, -1);
  return groups.map((group) => `${Number.parseInt(group, 16).toString(16)}:`).join('');
}

/** `,VAR="value",VAR=/value/`: the byte after `=` ends the value, too. */
function parseVariables(text: string): TcpRuleLine['variables'] | undefined {
  const variables: [string, string][] = [];
  let rest = text;
  while (rest !== '') {
    const match = /^,([^=]*)=(.)/s.exec(rest);
    if (!match) return undefined;
    const [start, name = '', delimiter = ''] = match;
    const end = rest.indexOf(delimiter, start.length);
    if (end < 0) return undefined;
    variables.push([name, rest.slice(start.length, end)]);
    rest = rest.slice(end + 1);
  }
  return variables;
}

const range = /^(|.*?\.)([0-9]+)-([0-9]+)((?:\..*)?)$/s;
const bareRange = /^(|[^-]*\.)([0-9]*)-([0-9]*)((?:\..*)?)$/s;

/** `1.2.3.4-9` stands for six addresses; the upper limit ends at 255. */
function expandRange(address: string, bare: boolean): readonly string[] | undefined {
  if (/[=@:]/.test(address) || !address.includes('-')) return [address];
  const match = (bare ? bareRange : range).exec(address);
  if (!match) return undefined;
  const [, before = '', from, to, after = ''] = match;
  const last = Math.min(Number(to), 255);
  const count = Math.max(0, last - Number(from) + 1);
  return Array.from({ length: count }, (_, i) => `${before}${Number(from) + i}${after}`);
}
