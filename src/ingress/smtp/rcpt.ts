/** RCPT: one recipient more, if he may have mail from here and somebody is at home. */
import { admit, replaceOwnIp, type Admission } from '../accept.ts';
import type { Address } from '../../mail/envelope.ts';
import { isAscii } from './mail.ts';
import { parsePath } from './path.ts';
import { replies, troubleReply } from './replies.ts';
import type { Reply } from './replies.ts';
import { refused } from './session.ts';
import type { Session, Transaction } from './session.ts';

/** Answers at once unless the directory has to be asked. */
export function rcpt(session: Session, argument: string): Reply | Promise<Reply> {
  const { parts, client, transaction } = session;
  if (transaction === undefined) return replies.mailFirst;
  const path = parsePath('TO', argument);
  if (path === 'syntax') return refused(session, replies.rcptSyntax);
  if (path === 'too-long') return refused(session, replies.addressTooLong);
  // We offer no parameter of RCPT (DSN would be the one).
  if (path.params.size > 0) return refused(session, replies.unknownParameter);
  const rules = parts.rules();
  const named = replaceOwnIp(path.address, rules);
  const refusal = refuseFirst(named, transaction, parts.maxRecipients);
  if (refusal) return refused(session, refusal, named);

  let admission: Admission;
  try {
    admission = admit(named, transaction.badReturnPath, rules, client.rights);
  } catch (cause) {
    parts.report('recipient rules', cause);
    return refused(session, deferred(cause), named);
  }
  switch (admission.kind) {
    case 'bad-return-path':
      return refused(session, replies.badReturnPath, named);
    case 'not-in-rcpthosts':
      return refused(session, replies.notInRcpthosts, named);
    case 'admitted':
      return knock(session, transaction, admission.recipient);
  }
}

function refuseFirst(named: Address, transaction: Transaction, most: number): Reply | undefined {
  if (!transaction.utf8 && !isAscii(named)) return replies.utf8Needed;
  const { recipients, recipientChars } = transaction;
  const full = recipients.length >= most || recipientChars + named.length > mostRecipientChars;
  return full ? replies.tooManyRecipients : undefined;
}

/** Ten thousand recipients of two hundred characters; more come with another letter, as RFC 5321 §4.5.3.1.10 has it. */
const mostRecipientChars = 2_000_000;

function knock(
  session: Session,
  transaction: Transaction,
  recipient: Address,
): Reply | Promise<Reply> {
  const conclude = (receives: boolean): Reply => {
    if (!receives) return refused(session, replies.nobodyHome, recipient);
    transaction.recipients.push(recipient);
    transaction.recipientChars += recipient.length;
    return replies.recipientOk;
  };
  const giveUp = (cause: unknown): Reply => {
    session.parts.report('recipient check', cause);
    return refused(session, deferred(cause), recipient);
  };
  try {
    const answer = session.parts.receives(recipient);
    return typeof answer === 'boolean' ? conclude(answer) : answer.then(conclude, giveUp);
  } catch (cause) {
    return giveUp(cause);
  }
}

/** When nobody can tell, the recipient is never lost: any trouble is a 4xx here. */
function deferred(cause: unknown): Reply {
  const reply = troubleReply(cause);
  return reply.code < 500 ? reply : troubleReply(undefined);
}
