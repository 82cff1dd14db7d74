/**
 * Two look-ups that routing and the doors share: the percent hack, and which line of virtualdomains
 * (or of any list with the same keys) speaks for a domain.
 */
import { splitAddress } from '../mail/address.ts';
import type { Address } from '../mail/envelope.ts';

export type VirtualDomain = {
  /** The key that hit: an address, a domain, `.suffix`, or `''`. */
  readonly key: string;
  /** `''`: this key is not virtual after all. */
  readonly prefix: string;
};

/**
 * Keys that can speak for a domain, in the order to ask: itself, each suffix that begins with a dot,
 * longest first, then the empty one.
 */
export function domainKeys(domain: string): readonly string[] {
  const keys = [domain];
  for (let dot = domain.indexOf('.', 1); dot >= 0; dot = domain.indexOf('.', dot + 1)) {
    keys.push(domain.slice(dot));
  }
  return domain === '' ? keys : [...keys, ''];
}

/** The first key that is there decides; the whole address comes before its domain. */
export function findVirtualDomain(
  address: Address,
  virtualdomains: ReadonlyMap<string, string>,
): VirtualDomain | undefined {
  const { domain = '' } = splitAddress(address);
  return findDomain([address, ...domainKeys(domain)], virtualdomains);
}

/** The first of `keys` that `map` has. */
export function findDomain(
  keys: readonly string[],
  map: ReadonlyMap<string, string>,
): VirtualDomain | undefined {
  for (const key of keys) {
    const prefix = map.get(key);
    if (prefix !== undefined) return { key, prefix };
  }
  return undefined;
}

/** `a%b@hacked` becomes `a@b`, again and again while the domain is listed and a `%` is left. */
export function undoPercentHack(address: Address, percenthack: ReadonlySet<string>): Address {
  let hacked = address;
  for (;;) {
    const { local, domain } = splitAddress(hacked);
    const percent = local.lastIndexOf('%');
    if (domain === undefined || percent < 0 || !percenthack.has(domain)) return hacked;
    hacked = `${local.slice(0, percent)}@${local.slice(percent + 1)}`;
  }
}
