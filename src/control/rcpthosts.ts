/**
 * For whom strangers may send letters to us (qmail's rcpthosts.c), and by which line.
 * Differs from qmail in one point: without `rcpthosts` we take what is delivered here, and relay
 * nothing (docs/decisions/0003-missing-rcpthosts.md).
 */
import { asciiLower, splitAddress } from '../mail/address.ts';
import type { Address } from '../mail/envelope.ts';
import type { Hosts } from './more-hosts.ts';
import type { Controls } from './settings.ts';
import { domainKeys, findVirtualDomain, undoPercentHack } from './virtual-domains.ts';

export type RcptRules = Pick<
  Controls,
  'rcpthosts' | 'locals' | 'virtualdomains' | 'percenthack'
> & { readonly morercpthosts: Hosts };

/**
 * The rule that lets a recipient in (`rcpthosts: .demo.test`), or `undefined` to refuse it.
 * An address without `@` is always let in: it is ours (`envnoathost`).
 */
export function acceptsRecipient(address: Address, rules: RcptRules): string | undefined {
  const { domain } = splitAddress(address);
  if (domain === undefined) return 'no domain: envnoathost';
  const { rcpthosts, morercpthosts } = rules;
  if (rcpthosts === undefined) return livesHere(address, rules);
  return listed('rcpthosts', rcpthosts, domain) ?? listed('morercpthosts', morercpthosts, domain);
}

function listed(file: string, hosts: Hosts, domain: string): string | undefined {
  const keys = domainKeys(asciiLower(domain)).filter((key) => key !== '');
  const key = keys.find((candidate) => hosts.has(candidate));
  return key === undefined ? undefined : `${file}: ${key}`;
}

/** What routing would deliver here; where it would send the letter on, we refuse. */
function livesHere(address: Address, rules: RcptRules): string | undefined {
  const final = undoPercentHack(address, rules.percenthack);
  const domain = asciiLower(splitAddress(final).domain ?? '');
  if (rules.locals.has(domain)) return `locals: ${domain}`;
  const virtual = findVirtualDomain(final, rules.virtualdomains);
  return virtual && virtual.prefix !== '' ? `virtualdomains: ${virtual.key}` : undefined;
}
