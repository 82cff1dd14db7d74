/** Return paths that are made anew for each recipient (qmail-send.c, VERP). */
import { splitAddress } from './address.ts';
import type { Address } from './envelope.ts';

const suffix = '-@[]';

/** Whether each recipient needs a transaction of its own. */
export const isVerp = (returnPath: Address): boolean =>
  returnPath.endsWith(suffix) && returnPath.slice(0, -suffix.length).includes('@');

/** `list-@host-@[]` to `r@d` → `list-r=d@host`; every other return path stays as it is. */
export function expandVerp(returnPath: Address, recipient: Address): Address {
  const { local, domain } = splitAddress(recipient);
  if (!isVerp(returnPath) || domain === undefined) return returnPath;
  const list = splitAddress(returnPath.slice(0, -suffix.length));
  return `${list.local}${local}=${domain}@${list.domain ?? ''}`;
}
