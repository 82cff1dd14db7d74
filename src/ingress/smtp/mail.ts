/** MAIL: opens a transaction, at any time, and forgets the one before (qmail-smtpd.c smtp_mail). */
import { isBadReturnPath, replaceOwnIp, sizeLimit } from '../accept.ts';
import { parsePath } from './path.ts';
import type { Path } from './path.ts';
import { refused } from './session.ts';
import type { Session } from './session.ts';
import { replies } from './replies.ts';
import type { Reply } from './replies.ts';

export function mail(session: Session, argument: string): Reply {
  const { parts, client } = session;
  session.transaction = undefined;
  const path = parsePath('FROM', argument);
  if (path === 'syntax') return refused(session, replies.mailSyntax);
  if (path === 'too-long') return refused(session, replies.addressTooLong);
  const rules = parts.rules();
  const mistake = checkParams(path, sizeLimit(rules, client.rights));
  if (mistake) return refused(session, mistake);

  const returnPath = replaceOwnIp(path.address, rules);
  session.transaction = {
    ...{ returnPath, badReturnPath: isBadReturnPath(returnPath, rules) },
    ...{ utf8: path.params.has('SMTPUTF8'), recipients: [], recipientChars: 0 },
  };
  return replies.senderOk;
}

/** SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531); any other was not offered. */
function checkParams({ address, params }: Path, limit: number): Reply | undefined {
  for (const [key, value] of params) {
    if (key === 'SIZE') {
      if (!/^[0-9]{1,20}$/.test(value)) return replies.badParameter;
      // The client counts a line end as two bytes and we as one, so this can only err by that much.
      if (Number(value) > limit) return replies.tooLarge;
    } else if (key === 'BODY') {
      if (!/^(7BIT|8BITMIME)$/i.test(value)) return replies.badParameter;
    } else if (key === 'SMTPUTF8') {
      if (value !== '') return replies.badParameter;
    } else return replies.unknownParameter;
  }
  return isAscii(address) || params.has('SMTPUTF8') ? undefined : replies.utf8Needed;
}

/** Whether an address can travel without SMTPUTF8. */
export const isAscii = (address: string): boolean => !/[\u0080-\uffff]/.test(address);
