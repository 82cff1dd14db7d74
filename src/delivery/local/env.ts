/**
 * What programs learn about a letter: the environment of qmail-command(8), and the three header lines.
 * Every value but USER and HOME is a stranger's choice, raw: a command must quote `"$SENDER"`.
 */
import { formatDeliveredTo, formatReturnPath } from '../../mail/address.ts';
import type { Address } from '../../mail/envelope.ts';
import { formatFromDate } from '../../mail/date.ts';
import type { Instant } from '../../platform/clock.ts';

/** One delivery's facts. */
export type Facts = {
  readonly user: string;
  readonly home: string;
  /** The envelope address, split; case kept. */
  readonly local: string;
  readonly domain: string;
  readonly ext: string;
  /** VERP expanded already. */
  readonly sender: Address;
  /** Who a forward comes from (`new-sender.ts`). */
  readonly newSender: Address;
  /** What `default` in the file's name stood for. */
  readonly rest?: string | undefined;
  readonly at: Instant;
};

const recipientOf = ({ local, domain }: Pick<Facts, 'local' | 'domain'>): Address =>
  `${local}@${domain}`;

/** `Delivered-To: …` LF */
export const deliveredToLine = (facts: Pick<Facts, 'local' | 'domain'>): string =>
  `${formatDeliveredTo(recipientOf(facts))}\n`;

/** `Return-Path: <…>` LF */
export const returnPathLine = (sender: Address): string => `${formatReturnPath(sender)}\n`;

/** `From sender date` LF, the first line of a letter in an mbox; UTC. */
export const fromLine = (sender: Address, at: Instant): string =>
  `From ${sender === '' ? 'MAILER-DAEMON' : sender.replace(/[ \t\n\r\0]/g, '-')} ${formatFromDate(at)}\n`;

/** `inherited` comes from the engine's own environment; a DEFAULT in it is stale and left out. */
export function environment(
  facts: Facts,
  inherited: Readonly<Record<string, string>>,
): Record<string, string> {
  const { DEFAULT: _, ...rest } = inherited;
  const [, ext2 = '', ext3 = '', ext4 = ''] = afterDashes(facts.ext, 3);
  const host2 = cutLabel(facts.domain);
  const host3 = cutLabel(host2);
  return withoutNul({
    ...rest,
    USER: facts.user,
    HOME: facts.home,
    LOCAL: facts.local,
    HOST: facts.domain,
    RECIPIENT: recipientOf(facts),
    SENDER: facts.sender,
    NEWSENDER: facts.newSender,
    EXT: facts.ext,
    EXT2: ext2,
    EXT3: ext3,
    EXT4: ext4,
    ...(facts.rest === undefined ? {} : { DEFAULT: facts.rest }),
    HOST2: host2,
    HOST3: host3,
    HOST4: cutLabel(host3),
    DTLINE: deliveredToLine(facts),
    RPLINE: returnPathLine(facts.sender),
    UFLINE: fromLine(facts.sender, facts.at),
  });
}

/** The text, then what follows its first dash, its second, … as far as there are dashes. */
function afterDashes(text: string, count: number): string[] {
  const dash = text.indexOf('-');
  if (count === 0 || dash < 0) return [text];
  return [text, ...afterDashes(text.slice(dash + 1), count - 1)];
}

/** A host without its last label; one without a dot stays. */
const cutLabel = (host: string): string =>
  host.includes('.') ? host.slice(0, host.lastIndexOf('.')) : host;

/** The system would refuse to start a program with a NUL in its environment; C sees no further than it. */
const withoutNul = (env: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, value.split('\0', 1)[0] ?? '']),
  );
