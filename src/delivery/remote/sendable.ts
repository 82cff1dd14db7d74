/** Which addresses can be put into a command line without breaking out of it. Pure. */
import { splitAddress } from '../../mail/address.ts';
import type { Address } from '../../mail/envelope.ts';

/**
 * Controls break the line, also inside quotes. Outside of quotes (the domain, or an address without
 * `@`, which qmail sends as it is) a space or an angle bracket ends the path, and what follows would
 * be read as parameters. Half a surrogate pair has no bytes.
 */
export function isSendable(address: Address): boolean {
  const { local, domain = local } = splitAddress(address);
  return !/\p{Cc}/u.test(address) && !/[ <>]/.test(domain) && address.isWellFormed();
}

/** Whether it needs SMTPUTF8 (RFC 6531). */
export const isInternational = (address: Address): boolean => /[\u0080-\uffff]/.test(address);
