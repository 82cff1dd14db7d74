/**
 * One client's session, as the verbs see it: no socket, no stream, no timer.
 */
import type { Address, Arrival, TlsFacts } from '../../mail/envelope.ts';
import type { Clock } from '../../platform/clock.ts';
import type { ClientRights, DoorRules } from '../accept.ts';
import type { Intake, Refusals } from '../ports.ts';
import type { RecipientCheck } from '../recipients.ts';
import type { IncomingData } from './incoming-data.ts';
import type { Reply } from './replies.ts';

/** Who is at the other end. */
export type Client = {
  readonly ip: string;
  /** `1.2.3.4:567` or `[::1]:567`. */
  readonly peer: string;
  /** Reverse name, where it was looked up and checked. */
  readonly host?: string | undefined;
  /** TCPREMOTEINFO of its tcprules. */
  readonly info?: string | undefined;
  readonly rights: ClientRights;
};

export type Transaction = {
  readonly returnPath: Address;
  readonly badReturnPath: boolean;
  /** SMTPUTF8 was asked for (RFC 6531). */
  readonly utf8: boolean;
  readonly recipients: Address[];
  /** Characters of all recipients together: what a client can make us remember is bounded. */
  recipientChars: number;
};

/** What all sessions of a door share. */
export type SessionParts = {
  /** Name of the door, for its refusals. */
  readonly name: string;
  readonly rules: () => DoorRules;
  readonly receives: RecipientCheck;
  readonly intake: Intake;
  readonly refusals: Refusals;
  readonly clock: Clock;
  /** For our own eyes: what went wrong, never told to the client. */
  readonly report: (what: string, cause: unknown) => void;
  readonly startTls: boolean;
  readonly maxRecipients: number;
  /** Commands that bring no letter on, after which we have had enough; a letter taken starts anew. 0: any number. */
  readonly maxFruitless: number;
  readonly bareNewlines: 'refuse' | 'normalize';
  /** Longest time from 354 to the final dot. */
  readonly letterTimeoutMs: number;
};

export type Session = {
  readonly parts: SessionParts;
  readonly client: Client;
  /** What the client calls itself, cut to a domain's length; `undefined` before HELO and EHLO. */
  helo: string | undefined;
  extended: boolean;
  tls: TlsFacts | undefined;
  transaction: Transaction | undefined;
  /** Set from 354 to the final dot: what comes in is the letter. */
  incoming: IncomingData | undefined;
  fruitless: number;
};

export const newSession = (parts: SessionParts, client: Client): Session => ({
  ...{ parts, client, helo: undefined, extended: false, tls: undefined },
  ...{ transaction: undefined, incoming: undefined, fruitless: 0 },
});

/** RFC 3848; a client that came with HELO speaks SMTP, whatever is underneath. */
export function protocolOf({ extended, tls }: Session): Arrival['protocol'] {
  if (!extended) return 'SMTP';
  return tls === undefined ? 'ESMTP' : 'ESMTPS';
}

/** Tells the log what was turned away, and passes the reply on. */
export function refused(session: Session, reply: Reply, recipient?: Address): Reply {
  const { parts, client, helo, transaction } = session;
  parts.refusals.note({
    ...{ door: parts.name, peer: client.peer, reply: reply.text },
    ...(helo !== undefined && { helo }),
    ...(transaction && { returnPath: transaction.returnPath }),
    ...(recipient !== undefined && { recipient }),
  });
  return reply;
}
