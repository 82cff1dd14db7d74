/**
 * Listening sockets, opened by `start` and inherited by the doors: a door may die and come back while
 * the kernel goes on taking connections, and doors need no privilege for low ports.
 */
import net from 'node:net';
import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import type { Config } from '../../control/config.ts';
import type { Endpoint } from '../../control/config-table.ts';

/** `desk` is the web page, all others are for mail. */
export type ListenerKind = keyof Config['listen'] | 'desk';

/** A bound socket as a role finds it: by its descriptor. */
export type InheritedListener = {
  readonly kind: ListenerKind;
  readonly fd: number;
  /** Behind load balancers, which say whose each connection is. */
  readonly isProxied?: boolean;
};

export type BoundSocket = {
  readonly kind: ListenerKind;
  readonly endpoint: Endpoint;
  readonly isProxied: boolean;
  readonly fd: number;
  close(): void;
};

type Handle = { readonly fd: number; close(): void; getsockname(into: object): number };

/**
 * Binds without listening. Node's public `listen` would make this process accept connections itself;
 * the call below is what node's own `cluster` uses to share a socket.
 */
type Binder = (
  host: string,
  port: number,
  family: 4 | 6,
  fd: number,
  flags: number,
) => Handle | number;

/** Binds every configured address; throws a readable error naming the address that cannot be had. */
export function bindAll({ listen, proxies }: Pick<Config, 'listen' | 'proxies'>): BoundSocket[] {
  const isProxied = ({ host, port }: Endpoint): boolean =>
    proxies.listeners.some((one) => one.host === host && one.port === port);
  const bound: BoundSocket[] = [];
  try {
    for (const kind of Object.keys(listen) as (keyof Config['listen'])[]) {
      for (const endpoint of listen[kind])
        bound.push({ ...bind(kind, endpoint), isProxied: isProxied(endpoint) });
    }
    return bound;
  } catch (cause) {
    for (const socket of bound) socket.close();
    throw cause;
  }
}

/** Binds one address; throws as `bindAll` does. */
export function bind(kind: ListenerKind, endpoint: Endpoint): BoundSocket {
  const { host, port } = endpoint;
  const create = (net as unknown as { _createServerHandle: Binder })._createServerHandle;
  const handle = create(host, port, net.isIPv6(host) ? 6 : 4, -1, 0);
  if (typeof handle === 'number') throw cannotListen(kind, endpoint, handle);
  const name: { port?: number } = {};
  handle.getsockname(name);
  // libuv keeps "address in use" to itself until `listen`, and leaves the socket unbound: a door that
  // listened on it would get any port, open to everybody.
  if (name.port === undefined || name.port === 0) {
    handle.close();
    throw cannotListen(kind, endpoint, -constants.errno.EADDRINUSE);
  }
  return {
    kind,
    endpoint: { host, port: name.port },
    isProxied: false,
    fd: handle.fd,
    close: () => handle.close(),
  };
}

/** `errno` as libuv has it, below zero. */
function cannotListen(kind: ListenerKind, { host, port }: Endpoint, errno: number): Error {
  const why = getSystemErrorMap().get(errno)?.[1] ?? `error ${errno}`;
  return new Error(`cannot listen on ${host}:${port} (${kind}): ${why}`);
}
