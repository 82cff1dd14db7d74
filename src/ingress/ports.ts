/** What a door needs: somewhere to put a letter, and someone who knows who lives here. */
import type { Address, Arrival, Envelope, MessageId } from '../mail/envelope.ts';

/** A letter while it comes in. Its id is known from the start, so that `Received:` can carry it. */
export interface IncomingLetter {
  readonly id: MessageId;
  /** Takes body bytes, CRLF line ends; resolves when more may come (back-pressure). */
  write(chunk: Uint8Array): Promise<void>;
  /**
   * Resolves when event and body are forced to disk: only now may a door say 250.
   * Rejects with a `Trouble` whose `peer` text and `tryAgain` make the reply (451/452/554).
   */
  accept(envelope: Envelope, arrival: Arrival): Promise<MessageId>;
  /** The client went away or we refused: forgets the bytes. */
  abandon(): void;
}

export interface Intake {
  begin(): IncomingLetter;
}

/** Whether anybody would receive mail for the local part of a local address. */
export interface Directory {
  /** `address` is the routed one (virtual domain's prefix included). Rejects when nobody can tell now. */
  receives(address: Address): Promise<boolean>;
}

/** What a door tells the log about what it turned away. */
export interface Refusals {
  note(refusal: {
    readonly door: string;
    readonly peer: string;
    readonly helo?: string;
    readonly returnPath?: Address;
    readonly recipient?: Address;
    /** The reply line the client got. */
    readonly reply: string;
  }): void;
}
