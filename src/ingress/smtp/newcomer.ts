/** Who comes: whose connection it is, under which name, and what tcprules say of that client. */
import type net from 'node:net';
import type { Clock } from '../../platform/clock.ts';
import type { ProxyPeer } from '../../wire/proxy-header.ts';
import { rightsOf } from '../accept.ts';
import { whoIsBehind } from './behind-proxy.ts';
import type { Client } from './session.ts';

export type NewcomerParts = {
  /** tcprules: whether the client may come in, and with which variables. */
  readonly clientRules: (client: { readonly ip: string; readonly host?: string }) => {
    readonly allow: boolean;
    readonly env: ReadonlyMap<string, string>;
  };
  /** Checked reverse name of an address, where the operator wants it (tcpserver -h -p). Default: none is looked up. */
  readonly hostOf?: (ip: string) => Promise<string | undefined>;
  /** Whether a load balancer of ours is there; asked where one is expected. Default: none is. */
  readonly isProxy?: (ip: string) => boolean;
  readonly clock: Clock;
  /** Our own log: what went wrong and is not the client's business. */
  readonly report: (what: string, cause: unknown) => void;
};

/** Without a client the connection is closed without a word; `why` is for the record. */
export type Newcomer =
  | { readonly client: Client }
  | { readonly client: undefined; readonly peer: string; readonly why: string | undefined };

/** Longest wait for a client's reverse name. */
const lookupMs = 2_000;

/** As far as the socket tells; at once. */
export function knownBySocket(parts: NewcomerParts, peer: ProxyPeer, host?: string): Newcomer {
  const { ip } = peer;
  try {
    const { allow, env } = parts.clientRules({ ip, ...(host !== undefined && { host }) });
    if (!allow) return shutOut(peer, 'tcp.smtp denies');
    const info = env.get('TCPREMOTEINFO');
    return { client: { ip, peer: formatPeer(peer), host, info, rights: rightsOf(env) } };
  } catch (cause) {
    // When we cannot tell, nobody comes in.
    parts.report('client rules', cause);
    return shutOut(peer, undefined);
  }
}

/** Where a load balancer says whose it is, or the name is asked for: that takes time, but not for ever. */
export async function lookedUp(
  parts: NewcomerParts,
  socket: net.Socket,
  from: ProxyPeer,
  isProxied: boolean,
): Promise<Newcomer> {
  if (!isProxied) return knownBySocket(parts, from, await nameOf(parts, from));
  // Who is no balancer of ours could claim to be anybody.
  if (parts.isProxy?.(from.ip) !== true) return shutOut(from, 'not a load balancer of ours');
  const told = await whoIsBehind(socket, parts.clock);
  if (told.kind !== 'header') return shutOut(from, told.kind === 'bad' ? told.why : undefined);
  const peer = told.peer ?? from;
  return knownBySocket(parts, peer, await nameOf(parts, peer));
}

function nameOf({ hostOf, clock }: NewcomerParts, { ip }: ProxyPeer): Promise<string | undefined> {
  return new Promise((resolve) => {
    if (hostOf === undefined) return resolve(undefined);
    const unknown = () => undefined;
    const cancel = clock.after(lookupMs, () => resolve(undefined));
    void hostOf(ip).catch(unknown).then(resolve).finally(cancel);
  });
}

const shutOut = (peer: ProxyPeer, why: string | undefined): Newcomer => ({
  ...{ client: undefined, peer: formatPeer(peer), why },
});

/** `1.2.3.4:567`, `[::1]:567`. */
export const formatPeer = ({ ip, port }: ProxyPeer): string =>
  ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
