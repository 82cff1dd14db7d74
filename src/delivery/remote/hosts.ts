/**
 * From a next hop to the addresses to try, in order (qmail-remote.c, dns.c dns_mxip).
 * Asks the DNS port and nothing else; what it cannot find, it words as qmail does.
 */
import { normalizeIp, isIpv4 } from '../../mail/ip-address.ts';
import type { Dns, MxRecord } from '../../platform/dns.ts';
import type { NextHop } from '../../queue/ports.ts';
import type { Target } from './ports.ts';

export type FoundHosts =
  | { readonly kind: 'found'; readonly targets: readonly Target[] }
  | { readonly kind: 'deferred' | 'failed'; readonly text: string };

export type HostParts = {
  readonly dns: Dns;
  /** From 0 to below 1; shuffles exchangers of equal preference. */
  readonly random: () => number;
  /** Normalised addresses of this machine. */
  readonly ownAddresses: () => ReadonlySet<string>;
  readonly listenPorts: readonly number[];
};

export const smtpPort = 25;

/** More exchangers than this are not looked up: a domain must not make us ask without end. */
export const exchangersLookedUp = 20;

type Candidate = Target & { readonly preference: number };

const deferred = (text: string): FoundHosts => ({ kind: 'deferred', text: `${text}\n` });
const failed = (text: string): FoundHosts => ({ kind: 'failed', text: `${text}\n` });

const unreachableDns = deferred("Sorry, I couldn't find any host by that name. (#4.1.2)");
const noExchanger = failed("Sorry, I couldn't find a mail exchanger or IP address. (#5.4.4)");
const ourselves = failed(
  "Sorry. Although I'm listed as a best-preference MX or A for that host,\n" +
    "it isn't in my control/locals file, so I don't treat it as local. (#5.4.6)",
);
const encoder = new TextEncoder();
/** A stranger's host name in our text: bytes outside 33 to 126 become `?`, as in qmail. */
const harmless = (host: string): string =>
  Array.from(encoder.encode(host), (byte) =>
    byte < 33 || byte > 126 ? '?' : String.fromCharCode(byte),
  ).join('');
const noSuchHost = (host: string): FoundHosts =>
  failed(`Sorry, I couldn't find any host named ${harmless(host)}. (#5.1.2)`);
const takesNoMail = (host: string): FoundHosts =>
  failed(`Sorry, ${harmless(host)} says in its MX record that it accepts no mail. (#5.1.10)`);

/** Never rejects as long as `dns` does not. At least one target where something was found. */
export async function findHosts(hop: NextHop, parts: HostParts): Promise<FoundHosts> {
  // A route is the operator's word: neither MX nor the question whether that is us.
  if (hop.relay !== undefined) return plainHost(hop.relay.host, hop.relay.port, parts.dns);
  if (hop.host === '') return failed('Sorry, address must include host name. (#5.1.3)');
  const literal = literalAddress(hop.host);
  if (literal !== undefined) {
    return notOurselves([candidate(hop.host, literal, 0)], parts);
  }
  const mx = await parts.dns.mx(hop.host);
  if (mx.kind === 'temporary') return unreachableDns;
  if (mx.kind === 'none') {
    const found = await plainHost(hop.host, smtpPort, parts.dns);
    if (found.kind !== 'found') return found;
    return notOurselves(
      found.targets.map((target) => ({ ...target, preference: 0 })),
      parts,
    );
  }
  const exchangers = mx.values.filter(({ host }) => host !== '' && host !== '.');
  if (exchangers.length === 0) return takesNoMail(hop.host);
  return exchangerAddresses(byPreference(exchangers, parts.random), parts);
}

/** `[1.2.3.4]`, `1.2.3.4`, `[IPv6:::1]`, `[::1]`: the address, in its one spelling. */
export function literalAddress(host: string): string | undefined {
  return isIpv4(host) || host.startsWith('[') ? normalizeIp(host) : undefined;
}

/** Lowest first; equal ones in random order, so that load spreads (RFC 5321 §5.1). */
export function byPreference(records: readonly MxRecord[], random: () => number): MxRecord[] {
  const shuffled = [...records];
  for (let i = shuffled.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
  }
  return shuffled.sort((a, b) => a.preference - b.preference);
}

const candidate = (host: string, address: string, preference: number): Candidate => ({
  host,
  address,
  port: smtpPort,
  preference,
});

async function plainHost(host: string, port: number, dns: Dns): Promise<FoundHosts> {
  const literal = literalAddress(host);
  if (literal !== undefined) {
    return { kind: 'found', targets: [{ host, address: literal, port }] };
  }
  const answer = await dns.addresses(host);
  if (answer.kind === 'temporary') return unreachableDns;
  if (answer.kind === 'none') return noSuchHost(host);
  return { kind: 'found', targets: answer.values.map((address) => ({ host, address, port })) };
}

async function exchangerAddresses(
  exchangers: readonly MxRecord[],
  parts: HostParts,
): Promise<FoundHosts> {
  const asked = exchangers.slice(0, exchangersLookedUp);
  const answers = await Promise.all(asked.map(({ host }) => parts.dns.addresses(host)));
  const candidates = asked.flatMap(({ host, preference }, i) => {
    const answer = answers[i];
    if (answer?.kind !== 'found') return [];
    return answer.values.map((address) => candidate(host, address, preference));
  });
  if (candidates.length > 0) return notOurselves(candidates, parts);
  // One exchanger whose address we could not learn, or did not ask for, may still be the right one.
  const some = exchangers.length > asked.length || answers.some(({ kind }) => kind === 'temporary');
  return some ? unreachableDns : noExchanger;
}

/** qmail's prefme: whoever is listed behind ourselves would only send it back to us. */
function notOurselves(
  candidates: readonly Candidate[],
  { ownAddresses, listenPorts }: HostParts,
): FoundHosts {
  const own = ownAddresses();
  const isUs = ({ address, port }: Candidate) =>
    listenPorts.includes(port) && own.has(normalizeIp(address) ?? address);
  const ours = candidates.filter(isUs).map(({ preference }) => preference);
  const prefme = Math.min(Infinity, ...ours);
  const left = candidates.filter(({ preference }) => preference < prefme);
  if (left.length === 0) return ourselves;
  const targets = left.map(({ host, address, port }) => ({ host, address, port }));
  return { kind: 'found', targets };
}
