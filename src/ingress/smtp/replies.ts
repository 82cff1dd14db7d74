/**
 * Everything the SMTP door says, in qmail's words where qmail had words (qmail-smtpd.c).
 * Each reply carries its enhanced status code (RFC 2034) in front; a refusal ends with it, too, as
 * qmail's do. No stranger's byte gets into a reply.
 */
import { safeLine } from '../../mail/sanitize.ts';
import { isTrouble } from '../../mail/trouble.ts';

export type Reply = {
  readonly code: number;
  /** One or more lines, CRLF between them, none at the end. */
  readonly text: string;
  /** What happens once it is said. */
  readonly then?: 'close' | 'starttls';
};

const say = (code: number, status: string, text: string, then?: Reply['then']): Reply => ({
  ...{ code, text: `${code} ${status} ${text}` },
  ...(then && { then }),
});

const refuse = (code: number, status: string, text: string, then?: Reply['then']): Reply =>
  say(code, status, `${text} (#${status})`, then);

/** For the log alone: the client hears that TLS may begin, and nothing of what came before its handshake. */
export const droppedInClear: Reply = {
  code: 0,
  text: '(dropped without a word: what came in clear behind STARTTLS)',
};

/** RFC 5321 §4.5.3.1.5: a line of a reply has at most 512 bytes. */
const maxPeerText = 400;

export const replies = {
  senderOk: say(250, '2.1.0', 'ok'),
  recipientOk: say(250, '2.1.5', 'ok'),
  noopOk: say(250, '2.0.0', 'ok'),
  flushed: say(250, '2.0.0', 'flushed'),
  goAhead: { code: 354, text: '354 go ahead' },
  vrfy: say(252, '2.0.0', "send some mail, i'll try my best"),
  help: say(214, '2.0.0', 'this is Waybill; the commands are those of RFC 5321'),
  startTls: say(220, '2.0.0', 'ready to start TLS', 'starttls'),

  unimplemented: refuse(502, '5.5.1', 'unimplemented'),
  noArgument: refuse(501, '5.5.4', 'no argument wanted'),
  tlsAlready: refuse(503, '5.5.1', 'TLS is on already'),
  mailFirst: refuse(503, '5.5.1', 'MAIL first'),
  rcptFirst: refuse(503, '5.5.1', 'RCPT first'),
  mailSyntax: refuse(501, '5.5.4', 'syntax error, I want MAIL FROM:<address>'),
  rcptSyntax: refuse(501, '5.5.4', 'syntax error, I want RCPT TO:<address>'),
  addressTooLong: refuse(555, '5.5.4', 'syntax error'),
  badParameter: refuse(501, '5.5.4', 'syntax error in a parameter'),
  unknownParameter: refuse(555, '5.5.4', 'parameter not recognized'),
  utf8Needed: refuse(553, '5.6.7', 'an address that is not ASCII needs SMTPUTF8'),
  lineTooLong: refuse(500, '5.5.2', 'command line too long', 'close'),
  bareLfPipelined: refuse(500, '5.5.2', 'DATA must end in CR LF', 'close'),
  notHttp: refuse(421, '4.7.0', 'this is not HTTP', 'close'),
  fruitless: refuse(421, '4.7.0', 'too many commands and no letter', 'close'),

  badReturnPath: refuse(553, '5.7.1', 'sorry, your envelope sender is in my badmailfrom list'),
  notInRcpthosts: refuse(553, '5.7.1', "sorry, that domain isn't in my list of allowed rcpthosts"),
  nobodyHome: refuse(550, '5.1.1', 'Sorry, no mailbox here by that name.'),
  tooManyRecipients: refuse(452, '4.5.3', 'too many recipients in one letter'),

  tooManyHops: refuse(554, '5.4.6', 'too many hops, this message is looping'),
  tooLarge: refuse(552, '5.3.4', 'sorry, that message size exceeds my databytes limit'),
  bareNewline: refuse(554, '5.6.11', 'bare CR or LF in the message: its lines must end in CR LF'),
  tooSlow: refuse(451, '4.4.2', 'the message takes too long', 'close'),

  timeout: refuse(451, '4.4.2', 'timeout', 'close'),
  earlyTalker: refuse(554, '5.5.1', 'you talk before I have greeted you', 'close'),
  crowded: refuse(421, '4.3.2', 'too many connections, and you keep others waiting', 'close'),
  tooManyOfYou: refuse(421, '4.7.0', 'too many connections from your address', 'close'),
  full: refuse(421, '4.3.2', 'too many connections, try again in a moment', 'close'),
  closing: refuse(421, '4.3.2', 'closing down, try again in a moment', 'close'),
  broken: refuse(451, '4.3.0', 'something went wrong here', 'close'),
} as const satisfies { readonly [name: string]: Reply };

/** A line of the operator's made fit for the wire. */
const ours = (text: string): string => safeLine(text, maxPeerText);

/** RFC 5321 §4.2: no enhanced code in the greeting (RFC 2034 §3). */
export const greeting = (text: string): Reply => ({ code: 220, text: `220 ${ours(text)} ESMTP` });

export const heloOk = (text: string): Reply => ({ code: 250, text: `250 ${ours(text)}` });

export function ehloOk(text: string, extensions: readonly string[]): Reply {
  const lines = [ours(text), ...extensions];
  const last = lines.length - 1;
  return {
    code: 250,
    text: lines.map((line, i) => `250${i < last ? '-' : ' '}${line}`).join('\r\n'),
  };
}

export const quitOk = (text: string): Reply => say(221, '2.0.0', ours(text), 'close');

/** The one that matters: event and body are on disk. */
export const accepted = (id: string): Reply => say(250, '2.0.0', `ok ${id}`);

/**
 * What a client hears of trouble around its letter or recipient: 452 when we are full, 451 when
 * trying again makes sense (and for all that we do not understand), 552 or 554 when it does not.
 */
export function troubleReply(cause: unknown): Reply {
  if (!isTrouble(cause)) return refuse(451, '4.3.0', 'temporary trouble here');
  const { code, tryAgain } = cause;
  const peer = ours(cause.peer);
  const told = /\(#([245]\.[0-9]{1,3}\.[0-9]{1,3})\)/.exec(peer)?.[1];
  if (tryAgain) {
    const full = code === 'log-full' || code === 'spool-full';
    const status = told?.startsWith('4') ? told : full ? '4.3.1' : '4.3.0';
    return wrap(full ? 452 : 451, status, peer, told);
  }
  const status = told?.startsWith('5') ? told : code === 'too-large' ? '5.3.4' : '5.3.0';
  return wrap(code === 'too-large' ? 552 : 554, status, peer, told);
}

const wrap = (code: number, status: string, text: string, told: string | undefined): Reply =>
  told === undefined ? refuse(code, status, text) : say(code, status, text);
