/** Who a forwarded letter comes from: the list's owner where there is one (qmail-local, mailing lists). */
import type { Address } from '../../mail/envelope.ts';

export type OwnerFiles = {
  /** `.qmail-list-owner` exists. */
  readonly owner: boolean;
  /** `.qmail-list-owner-default` exists, too: bounces can say which subscriber they are about. */
  readonly ownerDefault: boolean;
};

/** A bounce keeps its empty sender, or its bounces would loop. */
export const keepsSender = (sender: Address): boolean => sender === '' || sender === '#@[]';

/** `@[]` at the end asks for VERP: each subscriber's bounces come back to an address of his own. */
export function newSender(
  sender: Address,
  { local, domain }: { local: string; domain: string },
  files: OwnerFiles,
): Address {
  if (keepsSender(sender) || !files.owner) return sender;
  return files.ownerDefault ? `${local}-owner-@${domain}-@[]` : `${local}-owner@${domain}`;
}
