/**
 * By which names we may be called. A page elsewhere can give a name of its own our address (DNS rebinding)
 * and then read us as its own origin; but its requests carry that name in `Host`.
 */
import { isIP } from 'node:net';

export type HostNames = (host: string | undefined) => boolean;

const loopbackNames = ['localhost', '127.0.0.1', '[::1]'];

/** `more`: `desk.b.test` for any port, `desk.b.test:8443` for that one. `listenHost`: an address, or every one. */
export function hostNames(listenHost: string, more: readonly string[]): HostNames {
  const names = new Set([...loopbackNames, ...more].map((name) => name.toLowerCase()));
  if (!isEvery(listenHost)) names.add(bracketed(listenHost));
  return (host) => {
    if (host === undefined) return false;
    const given = host.toLowerCase().replace(/\.(?=:|$)/, '');
    const name = given.replace(/:\d+$/, '');
    // An address is no name that anybody could point at us; who reaches us by it meant us.
    const isAddress = isEvery(listenHost) && isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0;
    return names.has(given) || names.has(name) || isAddress;
  };
}

const isEvery = (host: string): boolean => host === '::' || host === '0.0.0.0';
const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);
