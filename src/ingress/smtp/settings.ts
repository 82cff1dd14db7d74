/** The settings of an SMTP door. Others may come while it runs (`obey`); what each command asks for is in its rules. */

export type SmtpSettings = {
  /** Name of the door, for the record: `smtp`. */
  readonly name: string;
  /** control/timeoutsmtpd: how long a client may be silent between MAIL and DATA, and never longer elsewhere. */
  readonly timeoutMs: number;
  /** How long a client may take for a command without a letter under way, and how far a letter may fall behind. */
  readonly idleTimeoutMs: number;
  /** The same for strangers when over three quarters of all places are taken; three times as long with a letter. */
  readonly busyTimeoutMs: number;
  /** The pace of a letter, bytes on the wire; 0 for any pace. */
  readonly minBytesPerSecond: number;
  /** How long strangers must wait for our greeting without a word; relay clients never wait. 0: nobody does. */
  readonly greetingDelayMs: number;
  /** Connections at once (tcpserver -c, control/concurrencyincoming). */
  readonly maxConnections: number;
  /** The same from one address (IPv6: one /64), except for relay clients; 0: no such limit. */
  readonly maxPerAddress: number;
  /** Recipients of one letter; the next ones hear 452 and come with another (RFC 5321 §4.5.3.1.10). */
  readonly maxRecipients: number;
  /** Commands that bring no letter on, after which a client is sent away; 0: any number. */
  readonly maxFruitless: number;
  /** What to do with a letter that holds a CR or LF on its own. */
  readonly bareNewlines: 'refuse' | 'normalize';
  /** Longest time a letter may take to come in. */
  readonly letterTimeoutMs: number;
  /** How long to wait for the directory at RCPT. */
  readonly directoryTimeoutMs: number;
  /** How long `drain` waits for letters under way. */
  readonly drainMs: number;
  /** A certificate: STARTTLS is offered, or (`implicit`) TLS comes first (RFC 8314). */
  readonly tls?: {
    readonly key: string | Buffer;
    readonly cert: string | Buffer;
    readonly implicit?: boolean;
  };
};

export const defaultSmtpSettings: SmtpSettings = {
  name: 'smtp',
  timeoutMs: 1_200_000,
  // RFC 5321 §4.5.3.2.7 asks for five minutes at least.
  idleTimeoutMs: 300_000,
  busyTimeoutMs: 10_000,
  minBytesPerSecond: 500,
  greetingDelayMs: 0,
  maxConnections: 40,
  maxPerAddress: 0,
  maxRecipients: 1_000,
  maxFruitless: 300,
  bareNewlines: 'refuse',
  letterTimeoutMs: 7_200_000,
  directoryTimeoutMs: 10_000,
  drainMs: 30_000,
};
