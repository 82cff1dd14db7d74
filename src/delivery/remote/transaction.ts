/**
 * One letter over one session: MAIL, a RCPT each, DATA, the body (RFC 5321 §3.3). With PIPELINING all
 * commands up to DATA leave in one packet (RFC 2920); qmail waited for each reply.
 *
 * A body of 8-bit lines goes out even where 8BITMIME is not offered, as qmail always did: nearly all
 * servers take it, and rewriting it would break its signatures.
 */
import { formatPath } from '../../mail/address.ts';
import type { Address } from '../../mail/envelope.ts';
import type { BodySource } from '../../queue/ports.ts';
import { dotStuffer } from './data-encoding.ts';
import type { SmtpReply } from './replies.ts';
import { saysYes, wantsMore } from './replies.ts';
import { isInternational } from './sendable.ts';
import type { Session } from './session.ts';
import type { Course } from './verdicts.ts';

export type Letter = {
  readonly returnPath: Address;
  /** At least one. All addresses are sendable, and ASCII unless the session has SMTPUTF8. */
  readonly recipients: readonly Address[];
  readonly body: BodySource;
  readonly eightBit: boolean;
  readonly utf8: boolean;
};

/** Never rejects. Afterwards `session.usable` tells whether it may carry another letter. */
export async function transact(session: Session, letter: Letter): Promise<Course> {
  const again = session.letters > 0;
  session.letters += 1;
  const commands = [
    mailCommand(session, letter),
    ...letter.recipients.map(rcptCommand),
    'DATA\r\n',
  ];
  if (session.needsReset) commands.unshift('RSET\r\n');
  const ask = asker(session, commands);

  if (session.needsReset) {
    const reset = await ask();
    if (reset === undefined || !saysYes(reset)) return giveUp(session, { end: 'stale' });
    session.needsReset = false;
  }
  const mail = await ask();
  if (mail === undefined || (again && mail.code === 421)) return giveUp(session, { end: 'stale' });
  if (!saysYes(mail)) {
    await discard(session, session.extensions.pipelining ? letter.recipients.length + 1 : 0);
    return { end: 'sender-rejected', said: mail };
  }
  return envelopeTaken(session, letter, ask);
}

/** Asks the next command and gives its reply; with PIPELINING all are asked at the first call. */
function asker(
  session: Session,
  commands: readonly string[],
): () => Promise<SmtpReply | undefined> {
  let next = 0;
  return () => {
    if (!session.extensions.pipelining) session.send(commands[next] ?? '');
    else if (next === 0) session.send(commands.join(''));
    next += 1;
    return session.reply();
  };
}

async function envelopeTaken(
  session: Session,
  letter: Letter,
  ask: () => Promise<SmtpReply | undefined>,
): Promise<Course> {
  const rcpts: SmtpReply[] = [];
  for (let n = 0; n < letter.recipients.length; n += 1) {
    const reply = await ask();
    if (reply === undefined) return { end: 'died', rcpts };
    rcpts.push(reply);
  }
  if (!rcpts.some(saysYes)) {
    session.needsReset = true;
    await discard(session, session.extensions.pipelining ? 1 : 0);
    return { end: 'nobody-accepted', rcpts };
  }
  const data = await ask();
  if (data === undefined) return { end: 'died', rcpts };
  if (!wantsMore(data)) {
    session.needsReset = true;
    const refused: Course = { end: 'data-refused', rcpts, said: data };
    return saysYes(data) ? giveUp(session, refused) : refused;
  }
  return bodyAsked(session, letter.body, rcpts);
}

async function bodyAsked(
  session: Session,
  body: BodySource,
  rcpts: readonly SmtpReply[],
): Promise<Course> {
  const sent = await sendBody(session, body);
  if (sent === 'unreadable') return giveUp(session, { end: 'body-unreadable', rcpts });
  const said = await session.reply();
  // A yes to half a letter is no answer to it; a no may well come before the end.
  if (said !== undefined && (sent === 'whole' || !saysYes(said))) {
    const answered: Course = { end: 'answered', rcpts, said };
    return wantsMore(said) ? giveUp(session, answered) : answered;
  }
  // From the moment the final dot is written, silence may mean that the letter was taken.
  return { end: 'died', rcpts, ...(sent === 'whole' ? { doubt: true } : {}) };
}

type Sent = 'whole' | 'partly' | 'unreadable';

/** A body that cannot be read to its end must not get its final dot: the caller closes instead. */
async function sendBody(session: Session, body: BodySource): Promise<Sent> {
  const stuffer = dotStuffer();
  if (body.inline !== undefined) {
    return session.write(stuffer.push(body.inline), stuffer.end()) ? 'whole' : 'partly';
  }
  try {
    for await (const chunk of body.read()) {
      if (!session.write(stuffer.push(chunk))) return 'partly';
      await session.drained();
    }
  } catch {
    return 'unreadable';
  }
  return session.write(stuffer.end()) ? 'whole' : 'partly';
}

/** Replies that no longer matter, to commands already sent. A server that wants data all the same gets none. */
async function discard(session: Session, replies: number): Promise<void> {
  let last: SmtpReply | undefined;
  for (let n = 0; n < replies; n += 1) last = await session.reply();
  if (last !== undefined && saysYes(last)) session.close();
}

function giveUp(session: Session, course: Course): Course {
  session.close();
  return course;
}

function mailCommand({ extensions }: Session, letter: Letter): string {
  const utf8 = letter.utf8 || [letter.returnPath, ...letter.recipients].some(isInternational);
  const size = extensions.size ? ` SIZE=${letter.body.ref.bytes}` : '';
  const eightBit = extensions.eightBitMime && letter.eightBit ? ' BODY=8BITMIME' : '';
  const smtpUtf8 = extensions.smtpUtf8 && utf8 ? ' SMTPUTF8' : '';
  return `MAIL FROM:${formatPath(letter.returnPath)}${size}${eightBit}${smtpUtf8}\r\n`;
}

const rcptCommand = (address: Address): string => `RCPT TO:${formatPath(address)}\r\n`;
