/**
 * From an address to a session ready for mail: connect, greeting, EHLO or HELO, STARTTLS.
 * Opportunistic TLS never loses mail: whatever goes wrong once STARTTLS was on offer, a second
 * connection does without it (RFC 3207 §6 leaves that to policy; RFC 7435 is ours).
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { createSecureContext } from 'node:tls';
import type { SMTPConnectionOptions } from 'nodemailer/lib/smtp-connection';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { TlsFacts } from '../../mail/envelope.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Dial, RemoteSettings, Target } from './ports.ts';
import type { SmtpReply } from './replies.ts';
import { longestReply, toReply } from './replies.ts';
import type { Extensions } from './session.ts';
import { Session } from './session.ts';
import type { Peer } from './verdicts.ts';

export type OpenParts = {
  readonly dial: Dial;
  readonly clock: Clock;
  readonly settings: RemoteSettings;
  readonly signal: AbortSignal;
};

export type Opened =
  | { readonly kind: 'open'; readonly session: Session }
  /** No TCP connection. */
  | { readonly kind: 'timed-out' | 'unreachable' }
  /** A connection, but no session. */
  | { readonly kind: 'greeting-failed' | 'name-rejected'; readonly said: SmtpReply; peer: Peer }
  | { readonly kind: 'died'; readonly peer: Peer };

/** What the library tells when it fails. */
type ConnectionError = Error & {
  readonly code?: string;
  readonly command?: string;
  readonly response?: string;
};

/** Reading the root certificates takes milliseconds; one context serves all connections. */
let sharedContext: ReturnType<typeof createSecureContext> | undefined;

/** Never rejects. */
export async function openSession(target: Target, parts: OpenParts): Promise<Opened> {
  const secure = parts.settings.tls === 'opportunistic';
  const first = await dialAndGreet(target, parts, secure);
  if (first.opened.kind === 'open' || !first.tlsTried || parts.signal.aborted) return first.opened;
  return (await dialAndGreet(target, parts, false)).opened;
}

type Handshake = { readonly opened: Opened; readonly tlsTried: boolean };

async function dialAndGreet(target: Target, parts: OpenParts, tls: boolean): Promise<Handshake> {
  const { dial, settings, signal } = parts;
  let socket: Socket;
  try {
    socket = await dial(target, {
      timeoutMs: settings.timeoutConnectMs,
      ...(settings.outgoingIp === undefined ? {} : { localAddress: settings.outgoingIp }),
      signal,
    });
  } catch (cause) {
    const { code } = Object(cause) as { readonly code?: unknown };
    const kind = code === 'ETIMEDOUT' ? 'timed-out' : 'unreachable';
    return { opened: { kind }, tlsTried: false };
  }
  return greet(target, socket, parts, tls);
}

function greet(target: Target, socket: Socket, parts: OpenParts, tls: boolean): Promise<Handshake> {
  const connection = new SMTPConnection(libraryOptions(target, socket, parts.settings, tls));
  return new Promise((resolve) => {
    const onAbort = () => connection.close();
    // The library's timeouts start anew with every byte; a far side that drips must not hold its slot.
    const limitMs = 2 * parts.settings.timeoutRemoteMs;
    const cancel = parts.clock.after(limitMs, onAbort);
    const settle = (opened: Opened, tlsTried: boolean) => {
      cancel();
      parts.signal.removeEventListener('abort', onAbort);
      resolve({ opened, tlsTried });
    };
    parts.signal.addEventListener('abort', onAbort, { once: true });
    connection.once('connect', () => {
      settle({ kind: 'open', session: sessionOver(connection, target, parts) }, false);
    });
    // Listens for good: the library may report once more, and an unheard 'error' would throw.
    connection.on('error', (cause: ConnectionError) => {
      // It spoke, so it is told goodbye, whose answer nobody awaits (qmail-remote quit).
      if (typeof cause.response === 'string') sayGoodbye(connection);
      settle(toFailure(cause, target), tls && tlsWasOffered(connection, cause));
    });
    // Closed without a word, by us or by them.
    connection.once('end', () => settle({ kind: 'died', peer: toPeer(target) }, false));
    connection.connect();
  });
}

function sayGoodbye(connection: SMTPConnection): void {
  const socket = connection._socket as Socket | false;
  if (socket !== false && socket.writable) socket.write('QUIT\r\n');
}

/**
 * The connection is ours already, so that connecting has its own timeout and the library's covers
 * greeting to STARTTLS. Without `logger` it logs nothing.
 */
function libraryOptions(
  target: Target,
  socket: Socket,
  { heloHost, timeoutRemoteMs }: RemoteSettings,
  tls: boolean,
): SMTPConnectionOptions {
  return {
    connection: socket,
    host: target.address,
    port: target.port,
    name: heloHost,
    secure: false,
    ignoreTLS: !tls,
    connectionTimeout: 2 * timeoutRemoteMs,
    greetingTimeout: timeoutRemoteMs,
    socketTimeout: timeoutRemoteMs,
    maxResponseSize: longestReply,
    ...(tls ? { tls: tlsOptions(target) } : {}),
  };
}

/** Any certificate will do (RFC 7435): who would refuse it would send in clear instead. */
function tlsOptions({ host }: Target): NonNullable<SMTPConnectionOptions['tls']> {
  sharedContext ??= createSecureContext();
  // An address literal is no server name (RFC 6066 §3).
  const named = /[A-Za-z]/.test(host) && !host.startsWith('[');
  const servername = named ? { servername: host.replace(/\.$/, '') } : {};
  return { rejectUnauthorized: false, secureContext: sharedContext, ...servername };
}

function tlsWasOffered(connection: SMTPConnection, cause: ConnectionError): boolean {
  if (connection.upgrading === true || connection.secure || cause.code === 'ETLS') return true;
  return /[ -]STARTTLS\b/im.test(connection.lastServerResponse || '');
}

function toFailure(cause: ConnectionError, target: Target): Opened {
  const peer = toPeer(target);
  const { command, response } = cause;
  if (typeof response !== 'string') return { kind: 'died', peer };
  const kind = command === 'EHLO' || command === 'HELO' ? 'name-rejected' : 'greeting-failed';
  // Already decoded; the code stands in its first three characters all the same.
  return { kind, said: { code: toReply(response.slice(0, 4)).code, text: response }, peer };
}

function toPeer({ host, address, port }: Target, tls?: TlsFacts): Peer {
  return { host, address, port, ...(tls === undefined ? {} : { tls }) };
}

function sessionOver(connection: SMTPConnection, target: Target, parts: OpenParts): Session {
  const socket = connection._socket as Socket;
  return new Session({
    connection,
    socket,
    peer: toPeer(target, connection.secure ? tlsFacts(socket as TLSSocket) : undefined),
    extensions: parseExtensions(connection.lastServerResponse || ''),
    clock: parts.clock,
    replyLimitMs: parts.settings.timeoutRemoteMs,
  });
}

const tlsFacts = (socket: TLSSocket): TlsFacts => ({
  protocol: socket.getProtocol() ?? 'unknown',
  cipher: socket.getCipher().name,
  verified: socket.authorized,
});

/** From the reply to EHLO, whose first line is only a greeting; HELO's has no other. */
function parseExtensions(text: string): Extensions {
  const keywords = new Set(
    text
      .split('\n')
      .slice(1)
      .map((line) => /^250[ -]([A-Za-z0-9-]+)/.exec(line)?.[1]?.toUpperCase()),
  );
  return {
    pipelining: keywords.has('PIPELINING'),
    eightBitMime: keywords.has('8BITMIME'),
    smtpUtf8: keywords.has('SMTPUTF8'),
    size: keywords.has('SIZE'),
  };
}
