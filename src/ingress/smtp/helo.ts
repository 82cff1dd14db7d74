/** HELO and EHLO: the client may call itself anything, even nothing; we only write it down. */
import { sizeLimit } from '../accept.ts';
import { maskUnsafe } from '../received.ts';
import { ehloOk, heloOk } from './replies.ts';
import type { Reply } from './replies.ts';
import type { Session } from './session.ts';

/** RFC 5321 §4.5.3.1.2. */
const maxHeloLength = 255;

function greeted(session: Session, argument: string, extended: boolean): string {
  session.helo = maskUnsafe(argument.slice(0, maxHeloLength));
  session.extended = extended;
  session.transaction = undefined;
  return session.parts.rules().greeting;
}

export const helo = (session: Session, argument: string): Reply =>
  heloOk(greeted(session, argument, false));

export function ehlo(session: Session, argument: string): Reply {
  const { parts, client, tls } = session;
  const greeting = greeted(session, argument, true);
  const limit = sizeLimit(parts.rules(), client.rights);
  return ehloOk(greeting, [
    'PIPELINING',
    // RFC 1870: without a number, any size.
    limit === Infinity ? 'SIZE' : `SIZE ${limit}`,
    ...(parts.startTls && tls === undefined ? ['STARTTLS'] : []),
    ...['ENHANCEDSTATUSCODES', 'SMTPUTF8', '8BITMIME'],
  ]);
}
