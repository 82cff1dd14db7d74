/**
 * Variable envelope return paths: `list-return-@host-@[]` to `joe@demo.test` comes from
 * `list-return-joe=demo.test@host` (qmail-send.c senderadd). Any other sender stays as it is, one
 * that the queue has expanded already included.
 */
import { splitAddress } from '../../mail/address.ts';
import type { Address } from '../../mail/envelope.ts';

const mark = '-@[]';

export function expandVerp(sender: Address, recipient: Address): Address {
  if (!sender.endsWith(mark)) return sender;
  const { local: prefix, domain: host } = splitAddress(sender.slice(0, -mark.length));
  const { local, domain } = splitAddress(recipient);
  if (host === undefined || domain === undefined) return sender;
  return `${prefix}${local}=${domain}@${host}`;
}
