/** A domain name system made of a table: for tests and for replaying what was looked up. */
import { asciiLower } from '../mail/address.ts';
import type { Dns, DnsAnswer } from './dns.ts';

/** What a name has; `temporary` where the question goes unanswered. A name not listed does not exist. */
export type Zone = {
  readonly [host: string]: {
    readonly mx?: readonly (readonly [preference: number, host: string])[] | 'temporary';
    readonly addresses?: readonly string[] | 'temporary';
  };
};

export type ScriptedDns = Dns & {
  /** Every question so far, as `MX b.test` and `A b.test`. */
  readonly asked: string[];
};

function answer<R, T>(
  rows: readonly R[] | 'temporary' | undefined,
  read: (row: R) => T,
): DnsAnswer<T> {
  if (rows === 'temporary') return { kind: 'temporary', reason: 'ETIMEOUT' };
  if (rows === undefined || rows.length === 0) return { kind: 'none' };
  return { kind: 'found', values: rows.map(read) };
}

/** Names in `zone` are lower-case and without final dot. */
export function scriptedDns(zone: Zone): ScriptedDns {
  const asked: string[] = [];
  const entry = (type: string, host: string) => {
    asked.push(`${type} ${host}`);
    return zone[asciiLower(host).replace(/\.$/, '')];
  };
  return {
    asked,
    mx: async (host) =>
      answer(entry('MX', host)?.mx, ([preference, name]) => ({ preference, host: name })),
    addresses: async (host) => answer(entry('A', host)?.addresses, (address) => address),
  };
}
