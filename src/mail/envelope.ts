/** The paper of a letter: whom it is from, whom it is for, where its body lies, how it came in. */

/** Name of one letter: a UUIDv7, so that names sort by time. */
export type MessageId = string;

/** An envelope address as Unicode text, unquoted (`a b@v.t`, not `"a b"@v.t`); the domain follows the last `@`. */
export type Address = string;

/** Position of a recipient in its envelope, from 0. Addresses may repeat, numbers do not. */
export type RecipientNo = number;

export type Envelope = {
  /** Where a bounce goes: `''` for a bounce itself, `#@[]` for a double bounce. */
  readonly returnPath: Address;
  readonly recipients: readonly Address[];
};

/** A body in the spool. `id` is a UUIDv7; `bytes` counts CRLF as two; `sha256` is lower-case hex. */
export type BodyRef = {
  readonly id: string;
  readonly bytes: number;
  readonly sha256: string;
};

/** The TLS under a connection, for the record. */
export type TlsFacts = {
  readonly protocol: string;
  readonly cipher: string;
  /** Whether the far side's certificate was verified. */
  readonly verified: boolean;
};

/** How a letter came to us. */
export type Arrival = {
  readonly protocol:
    'SMTP' | 'ESMTP' | 'ESMTPS' | 'QMTP' | 'QMQP' | 'local' | 'http' | 'bounce' | 'forward';
  /** Name of the door: `smtp`, `submission`. */
  readonly door?: string;
  /** Bytes as databytes counts them: a line end is one, and our own Received field none. */
  readonly size?: number;
  /** IP address and port of the client. */
  readonly peer?: string;
  /** Reverse name of the client, where it was looked up and checked. */
  readonly peerHost?: string;
  /** What the client called itself. */
  readonly helo?: string;
  readonly auth?: string;
  /** The Message-ID of its header, brackets removed; what stands there is a stranger's word. */
  readonly messageId?: string;
  readonly tls?: TlsFacts;
  /** Numeric user of the program that injected it. */
  readonly uid?: number;
  /** Who that program says its user is: its environment's word, not the kernel's. */
  readonly user?: string;
  /** When that program put it into the drop box, where no engine answered; in milliseconds. */
  readonly droppedAt?: number;
  /** The body uses 8-bit bytes (RFC 6152) or the envelope UTF-8 (RFC 6531). */
  readonly eightBit?: boolean;
  readonly utf8?: boolean;
};
