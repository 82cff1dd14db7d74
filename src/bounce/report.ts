/**
 * The text of a bounce, byte for byte qmail's (QSBMF, "qmail-send bounce message format"): what comes
 * before the copy of the letter. Lines end in CRLF, as all stored bodies do; the `Received:` line in
 * front is added where the letter is accepted.
 */
import { formatHeaderAddress, formatReturnPath } from '../mail/address.ts';
import { formatDate } from '../mail/date.ts';
import type { Address } from '../mail/envelope.ts';
import type { Instant } from '../platform/clock.ts';
import { stripVirtualPrefix } from '../queue/routing.ts';
import { tooLongInQueue } from '../queue/schedule.ts';

export type BounceSettings = {
  readonly bouncefrom: string;
  readonly bouncehost: string;
  readonly doublebounceto: string;
  readonly doublebouncehost: string;
  readonly virtualdomains: ReadonlyMap<string, string>;
};

/** Return path of a double bounce, so that a bounce of that one ends here. */
const doubleBounceReturnPath: Address = '#@[]';

/** Marks a return path that is made anew for each recipient (VERP). */
const verpSuffix = '-@[]';

export type BounceEnvelope = {
  readonly kind: 'bounce' | 'double-bounce';
  readonly returnPath: Address;
  readonly recipient: Address;
};

export type BounceDiscarded = { readonly kind: 'discard'; readonly why: string };

/** A failed recipient, as routed, and the report on it (LF at line ends). */
export type Failure = {
  readonly address: Address;
  readonly text: string;
  /** It was a deferral, too late: the report says so once. */
  readonly expired?: boolean;
};

/** The letter's return path as a person knows it. */
const withoutVerp = (returnPath: Address): Address =>
  returnPath.endsWith(verpSuffix) ? returnPath.slice(0, -verpSuffix.length) : returnPath;

/**
 * Whom to tell: the return path; the postmaster when that is empty, so that a bounce failed; nobody when
 * the postmaster's own copy failed. A return path of just `-@[]` counts as empty, as it does in qmail.
 */
export function bounceEnvelope(
  returnPath: Address,
  settings: BounceSettings,
): BounceEnvelope | BounceDiscarded {
  if (returnPath === doubleBounceReturnPath) {
    return { kind: 'discard', why: 'triple bounce: the double bounce failed, too' };
  }
  const recipient = withoutVerp(returnPath);
  if (recipient !== '') return { kind: 'bounce', returnPath: '', recipient };
  const { doublebounceto, doublebouncehost } = settings;
  return {
    kind: 'double-bounce',
    returnPath: doubleBounceReturnPath,
    recipient: `${doublebounceto}@${doublebouncehost}`,
  };
}

type Told = {
  /** When the bounce is made; the same on every try to make it. */
  readonly at: Instant;
  /** Return path of the letter that failed. */
  readonly returnPath: Address;
  readonly envelope: BounceEnvelope;
  /** In the order in which they were reported. */
  readonly failures: readonly Failure[];
  readonly settings: BounceSettings;
};

/** Everything up to and including the `Return-Path:` line; the letter's own bytes follow, unchanged. */
export function formatBounceHead({ at, returnPath, envelope, failures, settings }: Told): string {
  const { kind, recipient } = envelope;
  const { bouncefrom, bouncehost } = settings;
  const header = [
    `Date: ${formatDate(at)}`,
    `From: ${formatHeaderAddress(`${bouncefrom}@${bouncehost}`)}`,
    `To: ${formatHeaderAddress(recipient)}`,
    'Subject: failure notice',
    '',
  ];
  const greeting = `Hi. This is the qmail-send program at ${bouncehost}.`;
  const top = [...header, greeting, ...introductions[kind], ''].join('\n');
  const told = failures.map((failure) => formatParagraph(failure, settings)).join('');
  const copy = [breaks[kind], '', formatReturnPath(withoutVerp(returnPath))].join('\n');
  return toCrlf(`${top}\n${told}${copy}\n`);
}

const introductions = {
  bounce: [
    "I'm afraid I wasn't able to deliver your message to the following addresses.",
    "This is a permanent error; I've given up. Sorry it didn't work out.",
  ],
  'double-bounce': ['I tried to deliver a bounce message to this address, but the bounce bounced!'],
} as const;

const breaks = {
  bounce: '--- Below this line is a copy of the message.',
  'double-bounce': '--- Below this line is the original bounce.',
} as const;

/**
 * One failure: `<address>:`, the report, an empty line. A report cannot fake the empty line that ends a
 * paragraph: of two LF in a row the second becomes `/` (qmail-send.c addbounce). Lines end in LF.
 */
export function formatParagraph(
  failure: Failure,
  rules: Pick<BounceSettings, 'virtualdomains'>,
): string {
  const shown = stripVirtualPrefix(failure.address, rules).replace(/[\n\r\0]/g, '_');
  const report = withFinalLf(reportOf(failure));
  const paragraph = `<${shown}>:\n${report}`;
  const last = paragraph.length - 1;
  return `${paragraph.slice(0, last).replace(/(?<=\n)\n/g, '/')}${paragraph.slice(last)}\n`;
}

/** A CR or NUL of a stranger would break the lines of the stored body; no report of ours has one. */
function reportOf({ text, expired }: Failure): string {
  const report = text.replace(/\r\n/g, '\n').replace(/[\r\0]/g, '?');
  if (expired !== true || report.endsWith(tooLongInQueue)) return report;
  return withFinalLf(report) + tooLongInQueue;
}

const withFinalLf = (text: string): string =>
  text === '' || text.endsWith('\n') ? text : `${text}\n`;

const toCrlf = (text: string): string => text.replace(/\n/g, '\r\n');
