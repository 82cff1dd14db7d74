/** What the queue needs from the stations around it. */
import type { Observable } from 'rxjs';
import type { Address, BodyRef, MessageId, RecipientNo } from '../mail/envelope.ts';
import type { Outcome } from '../mail/verdict.ts';
import type { Instant } from '../platform/clock.ts';

export type ChannelName = 'local' | 'remote';

/** Where a letter goes next: the queue's routing decided it, the channel obeys. */
export type NextHop = {
  /** Remote: the recipient's domain. Local: `''`. */
  readonly host: string;
  /** From `smtproutes`: go to this host or address literal instead, without MX. */
  readonly relay?: { readonly host: string; readonly port: number };
};

/** A body as a channel sees it: all of it when it is small, else read in pieces. Lines end in CRLF. */
export interface BodySource {
  readonly ref: BodyRef;
  /** The whole body, when it is at hand. */
  readonly inline?: Uint8Array;
  /** The bytes from the start, in order; may be called again for another pass. */
  read(): AsyncIterable<Uint8Array>;
}

/** One attempt: one letter, one way out, one next hop, one or more recipients. */
export type Order = {
  readonly message: MessageId;
  readonly attempt: number;
  /** None of these recipients was tried before, however many attempts the letter has had. */
  readonly firstTry?: true;
  readonly startedAt: Instant;
  readonly channel: ChannelName;
  readonly hop: NextHop;
  readonly returnPath: Address;
  /** Addresses after routing (a virtual domain's prefix included). */
  readonly recipients: readonly { readonly rcpt: RecipientNo; readonly address: Address }[];
  readonly body: BodySource;
  /** The body needs 8BITMIME, the envelope SMTPUTF8. */
  readonly eightBit: boolean;
  readonly utf8: boolean;
};

/** A letter that a local delivery asks for: the same body, `prefix` in front, to others. */
export type Forward = {
  /** The recipient whose delivery asks for it. */
  readonly rcpt: RecipientNo;
  readonly returnPath: Address;
  readonly recipients: readonly Address[];
  /** Header lines, CRLF at the end of each: qmail-local's Delivered-To. */
  readonly prefix: string;
};

export type AttemptReport = {
  readonly outcomes: readonly Outcome[];
  /** Must be accepted before the outcomes are recorded. */
  readonly forwards?: readonly Forward[];
};

/** A way out. Never errors for a far side's fault: that is an outcome. */
export interface Channel {
  attempt(order: Order): Observable<AttemptReport>;
}
