/** The settings of an SMTP door; what may change while it runs is in its rules. */

export type SmtpSettings = {
  /** Name of the door, for the record: `smtp`. */
  readonly name: string;
  /** control/timeoutsmtpd: how long a client may be silent. */
  readonly timeoutMs: number;
  /** How long strangers must wait for our greeting without a word; relay clients never wait. 0: nobody does. */
  readonly greetingDelayMs: number;
  /** Connections at once (tcpserver -c, control/concurrencyincoming). */
  readonly maxConnections: number;
  /** Recipients of one letter; the next ones hear 452 and come with another (RFC 5321 §4.5.3.1.10). */
  readonly maxRecipients: number;
  /** Commands without a letter, after which a client is sent away. */
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
  greetingDelayMs: 0,
  maxConnections: 40,
  maxRecipients: 1_000,
  maxFruitless: 300,
  bareNewlines: 'refuse',
  letterTimeoutMs: 7_200_000,
  directoryTimeoutMs: 10_000,
  drainMs: 30_000,
};
