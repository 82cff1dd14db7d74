/**
 * Names of letters in a Maildir (maildir(5), `time.middle.host`). Two kinds:
 *
 * In `tmp/` a name that nobody else has: `TIME.MmicrosPpidQn.host`, qmail's with the microsecond and a
 * count of this process's deliveries, so that pid reuse within a second does no harm.
 *
 * In `new/` a name that the same delivery always has: `TIME.MmicrosWletterRrcptIline.host`, where TIME is when
 * the letter was named. So a second attempt after a crash finds what the first one left.
 */
import type { MessageId, RecipientNo } from '../../mail/envelope.ts';
import { instantOf, isMessageId } from '../../mail/message-id.ts';
import type { Instant } from '../../platform/clock.ts';

export type DeliveryKey = {
  readonly message: MessageId;
  readonly rcpt: RecipientNo;
  /** Which line of the dot-qmail file, from 0: two lines may name the same Maildir and mean it. */
  readonly line: number;
};

export const tmpName = (at: Instant, pid: number, count: number, host: string): string =>
  `${timeOf(at)}P${pid}Q${count}.${hostPart(host)}`;

/** `undefined` for a letter that is not named as ours are: such names may repeat. */
export function lastingName(
  { message, rcpt, line }: DeliveryKey,
  host: string,
): string | undefined {
  if (!isMessageId(message)) return undefined;
  const letter = message.replaceAll('-', '');
  return `${timeOf(instantOf(message))}W${letter}R${rcpt}I${line}.${hostPart(host)}`;
}

/** `1795218541.M123000` */
const timeOf = (at: Instant): string => `${Math.floor(at / 1000)}.M${Math.floor(at % 1000) * 1000}`;

/** A slash would leave the directory, a colon begin the flags; maildir(5) writes them in octal. */
const hostPart = (host: string): string =>
  host
    .slice(0, 63)
    .replaceAll('/', '\\057')
    .replaceAll(':', '\\072')
    .replace(/[^!-~]/g, '_') || 'localhost';
