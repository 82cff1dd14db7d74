/** Which recipients of a letter a person means: by number, or by address as it was or is now. */
import type { RecipientNo } from '../mail/envelope.ts';
import { Trouble } from '../mail/trouble.ts';
import type { QueueState } from '../queue/state.ts';
import { safe } from './words.ts';

/** An address may stand for several. Throws `not-found` when it stands for none. */
export function findRecipients(
  asked: string,
  state: Readonly<QueueState>,
  envelope: readonly string[] = [],
): readonly RecipientNo[] {
  const { recipients } = state;
  const wanted = asked
    .trim()
    .replace(/^<(.*)>$/, '$1')
    .toLowerCase();
  const numbers = [...recipients.keys()].filter(
    (rcpt) =>
      String(rcpt) === wanted ||
      [recipients[rcpt]!.address, recipients[rcpt]!.route?.address, envelope[rcpt]].some(
        (address) => address?.toLowerCase() === wanted,
      ),
  );
  if (numbers.length > 0) return numbers;
  const detail = `the letter has no recipient ${safe(asked, 80)}`;
  throw new Trouble('not-found', { tryAgain: false, peer: 'no such recipient', detail });
}
