/**
 * Access rules as tcpserver's database has them: a key is an address as it was written, its data `D` for
 * deny or nothing for allow, then `+NAME=value` for each variable, every item ended by a NUL.
 * Texts hold one byte per character here, so that any value passes through as it is.
 */
import { clientKeys, toKey, type TcpClient } from './tcp-rules.ts';
import { parseTcpRuleLine, toRuleText, type TcpRuleLine } from './tcp-rule-lines.ts';

/** A line that tcprules cannot compile. */
export class UnparsableRule extends Error {
  readonly line: string;

  constructor(line: string) {
    super(`unable to parse this line: ${line}`);
    this.name = 'UnparsableRule';
    this.line = line;
  }
}

type TextRecord = readonly [key: string, data: string];

/**
 * The records of a rules file, in its order: of equal keys a look-up finds the first. A line without a
 * colon says nothing. IPv6 addresses, which the original cannot read, get the one spelling they are
 * looked up in. Errors: `UnparsableRule`.
 */
export function* compileTcpRules(text: string): Generator<TextRecord> {
  for (const raw of text.split('\n')) {
    const line = toRuleText(raw);
    if (line === undefined || !line.includes(':')) continue;
    const rule = parseTcpRuleLine(line, true);
    if (rule === undefined) throw new UnparsableRule(line);
    const data = formatRule(rule);
    for (const address of rule.addresses) {
      yield [address.includes(':') ? toKey(address) : address, data];
    }
  }
}

const formatRule = ({ allow, variables }: Omit<TcpRuleLine, 'addresses'>): string =>
  (allow ? '' : 'D\0') + variables.map(([name, value]) => `+${name}=${value}\0`).join('');

export type CompiledRule = {
  readonly key: string;
  readonly allow: boolean;
  /** `NAME=value`, in their order. */
  readonly variables: readonly string[];
};

/** The first key of the client that is there; `undefined` when no rule speaks for it, so it may come in. */
export function findCompiledRule(
  client: TcpClient,
  get: (key: string) => string | undefined,
): CompiledRule | undefined {
  for (const key of clientKeys(client)) {
    const data = get(key);
    if (data !== undefined) return { key, ...parseRule(data) };
  }
  return undefined;
}

/** What is neither `D` nor a variable says nothing, as with tcpserver; nor does what no NUL ends. */
function parseRule(data: string): Omit<CompiledRule, 'key'> {
  const items = data.split('\0').slice(0, -1);
  return {
    allow: !items.some((item) => item.startsWith('D')),
    variables: items.filter((item) => item.startsWith('+')).map((item) => item.slice(1)),
  };
}
