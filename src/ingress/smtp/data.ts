/** DATA: ends the transaction, whatever comes of it, and lets the letter in. */
import { IncomingData } from './incoming-data.ts';
import { replies, troubleReply } from './replies.ts';
import type { Reply } from './replies.ts';
import { refused } from './session.ts';
import type { Session } from './session.ts';

export function data(session: Session): Reply {
  const { parts, transaction } = session;
  if (transaction === undefined) return replies.mailFirst;
  if (transaction.recipients.length === 0) return replies.rcptFirst;
  try {
    session.incoming = new IncomingData(session, transaction, parts.intake.begin());
  } catch (cause) {
    // No letter can come in now (qmail's «qqt failure»): said before a byte of it is sent.
    parts.report('begin', cause);
    const reply = refused(session, troubleReply(cause));
    session.transaction = undefined;
    return reply;
  }
  session.transaction = undefined;
  return replies.goAhead;
}
