/** A letter of the views as an answer to a question: the same that a walk through the log would give. */
import { fits } from '../trace/address-pattern.ts';
import type { Found, FoundRecipient, Question } from '../trace/search.ts';
import type { ViewLetter } from './letter.ts';
import type { Said } from './sqlite/rows.ts';

/** `said`: all that was said of its recipients, in order. */
export function toFound(
  letter: ViewLetter,
  said: readonly Omit<Said, 'shape'>[],
  question: Question,
): Found {
  const { host, reply } = question;
  const wanted = reply?.toLowerCase();
  const recipients = letter.recipients.map(
    ({ address, formerly, state, attempts, doubt, host: hop, relay }): FoundRecipient => ({
      ...{ address, formerly, status: state, attempts, doubt, reply: undefined },
      hostMatches: attempts > 0 && isHost(host, hop, relay),
      replyMatches: false,
    }),
  );
  for (const { rcpt, reply: text, ...where } of said) {
    const recipient = recipients[rcpt];
    if (recipient === undefined) continue;
    recipient.reply = text;
    recipient.replyMatches ||= wanted !== undefined && text.toLowerCase().includes(wanted);
    recipient.hostMatches ||= isHost(
      host,
      ...[where.host, where.relay, where.answeredBy, where.address],
    );
  }
  return {
    ...{ message: letter.id, at: letter.at, returnPath: letter.returnPath, bytes: letter.bytes },
    ...{ messageId: letter.messageId, parent: letter.parent, recipients, held: letter.held },
    ...{ bounced: letter.child !== undefined, done: letter.doneAt !== undefined },
  };
}

const isHost = (pattern: string | undefined, ...names: readonly (string | undefined)[]): boolean =>
  pattern !== undefined && names.some((name) => name !== undefined && fits(pattern, name));
