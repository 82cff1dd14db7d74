/** From a command line to its reply: the verbs of qmail-smtpd, and those that came after it. */
import { data } from './data.ts';
import { ehlo, helo } from './helo.ts';
import { mail } from './mail.ts';
import { rcpt } from './rcpt.ts';
import { quitOk, replies } from './replies.ts';
import type { Reply } from './replies.ts';
import { refused } from './session.ts';
import type { Session } from './session.ts';

type Verb = (session: Session, argument: string) => Reply | Promise<Reply>;

const verbs: ReadonlyMap<string, Verb> = new Map<string, Verb>([
  ['HELO', helo],
  ['EHLO', ehlo],
  ['MAIL', mail],
  ['RCPT', rcpt],
  ['DATA', data],
  ['RSET', rset],
  ['STARTTLS', startTls],
  ['NOOP', () => replies.noopOk],
  ['VRFY', () => replies.vrfy],
  ['HELP', () => replies.help],
  ['QUIT', ({ parts }) => quitOk(parts.rules().greeting)],
]);

/** A letter is on its way through these; all other commands count towards `maxFruitless`. */
const fruitful = new Set<Verb>([rcpt, data]);

/** A page in a browser made to talk to us: its next lines would be taken for commands. */
const http = /^(GET|POST|PUT|HEAD|PATCH|DELETE|OPTIONS|TRACE|CONNECT) .* HTTP\/[0-9.]+$/i;

/** The verb is what stands before the first space; its argument what follows the spaces. */
export function obey(session: Session, line: string): Reply | Promise<Reply> {
  const space = line.indexOf(' ');
  const word = space < 0 ? line : line.slice(0, space);
  const verb = verbs.get(word) ?? verbs.get(word.toUpperCase());
  if (verb === undefined) {
    return http.test(line) ? refused(session, replies.notHttp) : tally(session, unimplemented);
  }
  const reply = verb(session, space < 0 ? '' : line.slice(space + 1).replace(/^ +/, ''));
  if (reply instanceof Promise) return reply.then((late) => weigh(session, verb, late));
  return weigh(session, verb, reply);
}

const { unimplemented } = replies;

const weigh = (session: Session, verb: Verb, reply: Reply): Reply =>
  reply.code < 400 && fruitful.has(verb) ? reply : tally(session, reply);

/** A client that only talks is sent away, or a few of them could hold every place for ever. */
function tally(session: Session, reply: Reply): Reply {
  const { maxFruitless } = session.parts;
  session.fruitless += 1;
  const isEnough = maxFruitless > 0 && session.fruitless >= maxFruitless;
  if (reply.then !== undefined || !isEnough) return reply;
  return refused(session, replies.fruitless);
}

function rset(session: Session): Reply {
  session.transaction = undefined;
  return replies.flushed;
}

/** RFC 3207 §4. */
function startTls(session: Session, argument: string): Reply {
  if (!session.parts.startTls) return replies.unimplemented;
  if (session.tls !== undefined) return replies.tlsAlready;
  return argument === '' ? replies.startTls : replies.noArgument;
}
