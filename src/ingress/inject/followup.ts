/** Mail-Followup-To: where answers should go when a letter goes to a mailing list (QMAILMFTFILE). */
import { asciiLower } from '../../mail/address.ts';
import type { AddressTokens } from './address-list.ts';
import { printTokens, toBare } from './print-tokens.ts';

/**
 * The field, or nothing when no address is one of the lists (lower case). `met` holds the addresses of
 * To and Cc as they were read, so from right to left; the field has them the other way round.
 */
export function mailFollowupTo(
  met: readonly AddressTokens[],
  lists: ReadonlySet<string>,
): readonly string[] {
  if (!met.some((address) => lists.has(asciiLower(toBare(address))))) return [];
  return [`Mail-Followup-To: ${[...met].reverse().map(printTokens).join(',\n  ')}\n`];
}
