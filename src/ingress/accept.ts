/**
 * Who may send what to whom (qmail-smtpd.c, rcpthosts.c): decisions only, in plain values.
 * The order is qmail's: bad return path, relay, rcpthosts; whether somebody is at home comes after
 * that (recipients.ts). `user%other@local` and `other!user@local` are local parts like any other.
 */
import { splitAddress } from '../mail/address.ts';
import type { Address } from '../mail/envelope.ts';
import { normalizeIp } from '../mail/ip-address.ts';

/** The rules of the day; a reload hands out new ones. */
export type DoorRules = {
  /** Our name in Received (qmail's TCPLOCALHOST). */
  readonly me: string;
  /** What follows 220, 221 and 250: control/smtpgreeting. */
  readonly greeting: string;
  /** `user@host` or `@host`; the set ignores case (FoldedSet). */
  readonly badmailfrom: ReadonlySet<string>;
  /** Whether strangers may send to this address: control/rcpthosts and morercpthosts. */
  readonly rcpthosts: (recipient: Address) => boolean;
  /** Bytes, a line end counted as one; 0 for any size. */
  readonly databytes: number;
  /** What `[our.ip.address]` after the last `@` stands for; absent: nothing. */
  readonly localiphost?: string | undefined;
  /** Whether this IP address (as `normalizeIp` spells it) is one of this machine's. */
  readonly isOwnIp: (ip: string) => boolean;
};

/** What tcprules gave one client. */
export type ClientRights = {
  /** RELAYCLIENT: may send anywhere; the value, often `''`, is appended to every recipient. */
  readonly relay: string | undefined;
  /** DATABYTES: takes the place of control/databytes; 0 for any size. */
  readonly databytes: number | undefined;
};

export type Admission =
  | { readonly kind: 'admitted'; readonly recipient: Address }
  | { readonly kind: 'bad-return-path' }
  | { readonly kind: 'not-in-rcpthosts' };

/** Rights from the client's environment. A DATABYTES that is no number means no limit, as in qmail. */
export function rightsOf(env: ReadonlyMap<string, string>): ClientRights {
  const databytes = env.get('DATABYTES');
  return {
    relay: env.get('RELAYCLIENT'),
    databytes: databytes === undefined ? undefined : toBytes(databytes),
  };
}

/** Leading digits, as qmail's scan_ulong reads them. */
function toBytes(text: string): number {
  const bytes = Number(/^[0-9]*/.exec(text)?.[0]);
  return Number.isSafeInteger(bytes) ? bytes : 0;
}

/** Largest letter in bytes, a line end counted as one; `Infinity` for any size. */
export function sizeLimit(rules: DoorRules, rights: ClientRights): number {
  return (rights.databytes ?? rules.databytes) || Infinity;
}

/** `joe@[our.ip.address]` becomes `joe@localiphost`; every other address stays (qmail-smtpd.c addrparse). */
export function replaceOwnIp(address: Address, rules: DoorRules): Address {
  if (rules.localiphost === undefined || !address.endsWith(']')) return address;
  const { local, domain } = splitAddress(address);
  const ip = domain?.startsWith('[') ? normalizeIp(domain) : undefined;
  return ip !== undefined && rules.isOwnIp(ip) ? `${local}@${rules.localiphost}` : address;
}

/** The null return path can never be a bad one: bounces must get through. */
export function isBadReturnPath(returnPath: Address, { badmailfrom }: DoorRules): boolean {
  if (returnPath === '' || badmailfrom.size === 0) return false;
  if (badmailfrom.has(returnPath)) return true;
  const at = returnPath.lastIndexOf('@');
  return at >= 0 && badmailfrom.has(returnPath.slice(at));
}

/** What becomes of one recipient. A bad return path is told here, not at MAIL, and RELAYCLIENT does not excuse it. */
export function admit(
  recipient: Address,
  badReturnPath: boolean,
  rules: DoorRules,
  { relay }: ClientRights,
): Admission {
  if (badReturnPath) return { kind: 'bad-return-path' };
  if (relay !== undefined) return { kind: 'admitted', recipient: recipient + relay };
  return rules.rcpthosts(recipient)
    ? { kind: 'admitted', recipient }
    : { kind: 'not-in-rcpthosts' };
}
