/**
 * Where a recipient goes, and which line of which control file says so (qmail-send.c rewrite,
 * qmail-remote.c's smtproutes). Pure: the rules come in, so a replay routes by the rules of its day.
 */
import type { Controls } from '../control/settings.ts';
import { parseRelay } from '../control/relay.ts';
import {
  domainKeys,
  findDomain,
  findVirtualDomain,
  undoPercentHack,
} from '../control/virtual-domains.ts';
import { asciiLower, domainOf, splitAddress } from '../mail/address.ts';
import type { Address } from '../mail/envelope.ts';
import type { Route } from './events.ts';

/** The controls that routing obeys. Keys are lower-case, or ignore case. */
export type RoutingRules = {
  readonly envnoathost: string;
  readonly percenthack: ReadonlySet<string>;
  readonly locals: ReadonlySet<string>;
  readonly virtualdomains: ReadonlyMap<string, string>;
  readonly smtproutes: ReadonlyMap<string, string>;
};

export const toRoutingRules = (controls: Controls): RoutingRules => ({
  envnoathost: controls.envnoathost,
  percenthack: controls.percenthack,
  locals: controls.locals,
  virtualdomains: controls.virtualdomains,
  smtproutes: controls.smtproutes,
});

/**
 * The way of one recipient: envnoathost, percenthack, locals, virtualdomains, then out.
 * `rule` names what decided; the rewritings that came before it stand in front of it.
 */
export function route(address: Address, rules: RoutingRules): Route {
  const complete = address.includes('@') ? address : `${address}@${rules.envnoathost}`;
  const final = undoPercentHack(complete, rules.percenthack);
  const rewritten = [
    ...(complete === address ? [] : [`envnoathost: ${rules.envnoathost}`]),
    ...(final === complete ? [] : [`percenthack: ${domainOf(complete)}`]),
  ];
  const found = deliverHere(final, rules) ?? sendOn(final, rules);
  return { ...found, rule: [...rewritten, found.rule].join('; ') };
}

/** A route to a user of this host, when locals or virtualdomains say so. */
function deliverHere(address: Address, rules: RoutingRules): Route | undefined {
  const domain = domainOf(address);
  if (rules.locals.has(domain)) return local(address, `locals: ${domain}`);
  const virtual = findVirtual(address, rules);
  if (virtual === undefined || virtual.prefix === '') return undefined;
  return local(`${virtual.prefix}-${address}`, `virtualdomains: ${virtual.key}:${virtual.prefix}`);
}

const local = (address: Address, rule: string): Route => ({
  channel: 'local',
  hop: { host: '' },
  address,
  rule,
});

/** A route to another host. An exception in virtualdomains is named, and so is the smtproutes line that hit. */
function sendOn(address: Address, rules: RoutingRules): Route {
  const { hop, said } = outTo(domainOf(address), rules.smtproutes);
  const exception = findVirtual(address, rules);
  const rule = [...(exception ? [`virtualdomains: ${exception.key}:`] : []), ...said].join('; ');
  return { channel: 'remote', hop, address, rule: rule || 'default: remote' };
}

type WayOut = { readonly hop: Route['hop']; readonly said: readonly string[] };

/** What smtproutes say of a host is asked at each attempt, and of few hosts again and again. */
const waysOut = new WeakMap<RoutingRules['smtproutes'], Map<string, WayOut>>();
const waysKept = 1_000;

function outTo(host: string, smtproutes: RoutingRules['smtproutes']): WayOut {
  let known = waysOut.get(smtproutes);
  if (known === undefined) waysOut.set(smtproutes, (known = new Map<string, WayOut>()));
  const remembered = known.get(host);
  if (remembered !== undefined) return remembered;
  const found = findWayOut(host, smtproutes);
  if (known.size >= waysKept) known.clear();
  known.set(host, found);
  return found;
}

function findWayOut(host: string, smtproutes: RoutingRules['smtproutes']): WayOut {
  const smtproute = findDomain(domainKeys(host), smtproutes);
  if (smtproute === undefined) return { hop: { host }, said: [] };
  const relay = parseRelay(smtproute.prefix);
  const said = [`smtproutes: ${smtproute.key}:${smtproute.prefix}`];
  return { hop: relay === undefined ? { host } : { host, relay }, said };
}

/** Keys are asked for in lower case; the address keeps its own. */
const findVirtual = (address: Address, { virtualdomains }: RoutingRules) =>
  virtualdomains.size === 0 ? undefined : findVirtualDomain(asciiLower(address), virtualdomains);

/**
 * A local address as its sender knew it: without the prefix that virtualdomains put in front, when the
 * line for its domain still says so (qmail-send.c stripvdomprepend). Lines for single users are not asked.
 */
export function stripVirtualPrefix(
  address: Address,
  { virtualdomains }: Pick<RoutingRules, 'virtualdomains'>,
): Address {
  const { domain } = splitAddress(address);
  if (domain === undefined) return address;
  const prefix = findDomain(domainKeys(asciiLower(domain)), virtualdomains)?.prefix ?? '';
  const marked = `${prefix}-`;
  return prefix !== '' && address.startsWith(marked) ? address.slice(marked.length) : address;
}
