/**
 * From what happened on the wire to a verdict per recipient, in qmail-remote's words and put together
 * as qmail-rspawn does. Pure. What we do not understand is deferred.
 */
import type { Address, RecipientNo, TlsFacts } from '../../mail/envelope.ts';
import type { Outcome, Reply, VerdictKind } from '../../mail/verdict.ts';
import type { SmtpReply } from './replies.ts';
import {
  cleanReply,
  enhancedStatus,
  saysNever,
  saysTooMany,
  saysYes,
  wantsMore,
} from './replies.ts';

/** Who was at the other end. */
export type Peer = {
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly tls?: TlsFacts;
};

export type Recipient = { readonly rcpt: RecipientNo; readonly address: Address };

/** How far it got. `rcpts` are the answers to RCPT, in order; fewer than recipients when it broke off. */
export type Course =
  | {
      readonly end: 'greeting-failed' | 'name-rejected' | 'sender-rejected';
      readonly said: SmtpReply;
    }
  /** The connection died before MAIL was answered: the letter is where it was. */
  | { readonly end: 'stale' }
  | { readonly end: 'nobody-accepted'; readonly rcpts: readonly SmtpReply[] }
  | {
      readonly end: 'data-refused' | 'answered';
      readonly rcpts: readonly SmtpReply[];
      said: SmtpReply;
    }
  | { readonly end: 'body-unreadable'; readonly rcpts: readonly SmtpReply[] }
  /** `doubt`: after the final dot. */
  | { readonly end: 'died'; readonly rcpts: readonly SmtpReply[]; readonly doubt?: boolean };

/** The longest report kept, in characters. */
export const longestReport = 5_000;

/** One of qmail-remote's reports: a letter and a text. */
export type Report = {
  readonly kind: VerdictKind;
  readonly text: string;
  readonly said?: SmtpReply;
};

/** The verdicts on all recipients of one transaction. */
export function toOutcomes(
  recipients: readonly Recipient[],
  course: Course,
  peer: Peer,
): readonly Outcome[] {
  const onMessage = messageReport(course, peer.address);
  const answers = 'rcpts' in course ? course.rcpts : [];
  const inDoubt = isInDoubt(course);
  const later = new Set(leftOver(recipients, course));
  return recipients.map((recipient, n) => {
    const { rcpt } = recipient;
    const refused = recipientReport(answers[n], peer.address);
    if (refused !== undefined && later.has(recipient)) {
      return { rcpt, ...toVerdict({ ...refused, kind: 'deferred' }, peer) };
    }
    const report = refused === undefined ? onMessage : onlyRefused(refused, peer.address);
    const outcome = { rcpt, ...toVerdict(report, peer) };
    return inDoubt && refused === undefined ? { ...outcome, doubt: true as const } : outcome;
  });
}

/** Whether the letter may have been taken, for all we know. */
const isInDoubt = (course: Course): boolean =>
  (course.end === 'died' && course.doubt === true) ||
  (course.end === 'answered' && wantsMore(course.said));

/**
 * The recipients that were too many for this transaction, of which the others were delivered: they may
 * have one of their own at once. Where nobody was taken, a refusal means what it says.
 */
export function leftOver(recipients: readonly Recipient[], course: Course): readonly Recipient[] {
  if (course.end !== 'answered' || !isTaken(course.said)) return [];
  return recipients.filter((_, n) => {
    const answer = course.rcpts[n];
    return answer !== undefined && saysTooMany(answer);
  });
}

/** The same verdict, in our own words, on each recipient. */
export const sameForAll = (
  recipients: readonly Recipient[],
  kind: VerdictKind,
  text: string,
  peer?: Peer,
): readonly Outcome[] =>
  recipients.map(({ rcpt }) => ({ rcpt, ...toVerdict({ kind, text }, peer) }));

/** The word on the letter as a whole. */
export function messageReport(course: Course, ip: string): Report {
  switch (course.end) {
    case 'greeting-failed':
      return withWords('deferred', `Connected to ${ip} but greeting failed.`, course.said);
    case 'name-rejected':
      return withWords('deferred', `Connected to ${ip} but my name was rejected.`, course.said);
    case 'sender-rejected':
      return withWords(
        refusal(course.said),
        `Connected to ${ip} but sender was rejected.`,
        course.said,
      );
    case 'nobody-accepted':
      return givingUp(ip);
    case 'data-refused':
      return withWords(refusal(course.said), `${ip} failed on DATA command.`, course.said);
    case 'answered':
      return finalReport(course.said, ip);
    case 'body-unreadable':
      return { kind: 'deferred', text: 'Unable to read message. (#4.3.0)\n' };
    case 'stale':
    case 'died': {
      const doubt = isInDoubt(course) ? ' Possible duplicate!' : '';
      return {
        kind: 'deferred',
        text: `Connected to ${ip} but connection died.${doubt} (#4.4.2)\n`,
      };
    }
  }
}

/** The only word that lets us forget a letter. */
const isTaken = (said: SmtpReply): boolean => saysYes(said) && !wantsMore(said);

function finalReport(said: SmtpReply, ip: string): Report {
  if (isTaken(said)) return withWords('delivered', `${ip} accepted message.`, said);
  if (wantsMore(said)) {
    const words = `${ip} answered out of step after I sent the message. Possible duplicate!`;
    return withWords('deferred', words, said);
  }
  return withWords(refusal(said), `${ip} failed after I sent the message.`, said);
}

/** qmail-remote's `h` and `s`; `undefined` for `r`, and for a recipient that was not answered. */
export function recipientReport(answer: SmtpReply | undefined, ip: string): Report | undefined {
  if (answer === undefined || saysYes(answer)) return undefined;
  return withWords(refusal(answer), `${ip} does not like recipient.`, answer);
}

const refusal = (said: SmtpReply): VerdictKind => (saysNever(said) ? 'failed' : 'deferred');

const withWords = (kind: VerdictKind, text: string, said: SmtpReply): Report => ({
  kind,
  text: `${text}\nRemote host said: ${cleanReply(said.text)}\n`,
  said,
});

const givingUp = (ip: string): Report => ({ kind: 'failed', text: `Giving up on ${ip}.\n` });

/**
 * qmail-rspawn's rule for a recipient that was refused: the word on it, then the word on the letter. It gives
 * every recipient a conversation of its own, so that word is always the same; what became of the others that
 * shared ours is none of this one's business.
 */
const onlyRefused = (refused: Report, ip: string): Report => ({
  ...refused,
  text: refused.text + givingUp(ip).text,
});

function toVerdict({ kind, text, said }: Report, peer?: Peer): { kind: VerdictKind; reply: Reply } {
  const status = said === undefined ? ownStatus(text) : enhancedStatus(said);
  const kept = text.length > longestReport ? `${text.slice(0, longestReport - 1)}\n` : text;
  const reply: Reply = {
    text: kept,
    ...(said === undefined || said.code === 0 ? {} : { code: said.code }),
    ...(status === undefined ? {} : { status }),
    ...peer,
  };
  return { kind, reply };
}

/** `(#4.4.2)` at the end of our own words. */
const ownStatus = (text: string): string | undefined =>
  /\(#([245]\.[0-9]{1,3}\.[0-9]{1,3})\)\n$/.exec(text)?.[1];
