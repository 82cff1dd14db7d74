/** The addresses of this machine's interfaces (qmail's ipme.c), and the two that mean "this machine". */
import { networkInterfaces } from 'node:os';
import { normalizeIp } from '../../mail/ip-address.ts';

/** Asked anew each time: interfaces come and go. Each address is in the spelling of `normalizeIp`. */
export function ownAddresses(): ReadonlySet<string> {
  const found = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .map(({ address }) => normalizeIp(address) ?? address);
  return new Set(['0.0.0.0', '::', ...found]);
}
