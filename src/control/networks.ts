/** Networks as an operator writes them: `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`. */
import { BlockList } from 'node:net';
import { normalizeIp } from '../mail/ip-address.ts';

export type Network = { readonly ip: string; readonly prefix: number };

/** `undefined` for what is none; a prefix of 0 is everybody. */
export function parseNetwork(text: string): Network | undefined {
  const [, address = '', digits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text.trim()) ?? [];
  const ip = normalizeIp(address);
  if (ip === undefined) return undefined;
  const bits = ip.includes(':') ? 128 : 32;
  const prefix = digits === undefined ? bits : Number(digits);
  return prefix > bits ? undefined : { ip, prefix };
}

/** `ip` as `normalizeIp` spells it. */
export function isWithin(networks: readonly Network[]): (ip: string) => boolean {
  const list = new BlockList();
  for (const { ip, prefix } of networks) list.addSubnet(ip, prefix, familyOf(ip));
  return (ip) => list.check(ip, familyOf(ip));
}

const familyOf = (ip: string): 'ipv4' | 'ipv6' => (ip.includes(':') ? 'ipv6' : 'ipv4');
