/** What one attempt came to, and in whose words. */
import type { RecipientNo, TlsFacts } from './envelope.ts';
import type { LinesDone } from './lines-done.ts';
import type { Reached } from './reached.ts';

/** The far side's answer, or ours when there was no far side. */
export type Reply = {
  /**
   * The report as qmail words it, lines ending in LF; what a bounce quotes and the log shows.
   * At most 5,000 characters; any text of a stranger in it is untrusted.
   */
  readonly text: string;
  /** SMTP reply code, where one was heard. */
  readonly code?: number;
  /** Enhanced status code (RFC 3463), `5.1.1`. */
  readonly status?: string;
  /** Which host spoke, at which IP address and port. */
  readonly host?: string;
  readonly address?: string;
  readonly port?: number;
  readonly tls?: TlsFacts;
};

/** qmail's K, Z and D. What we do not understand is deferred. */
export type VerdictKind = 'delivered' | 'deferred' | 'failed';

export type Verdict = {
  readonly kind: VerdictKind;
  readonly reply: Reply;
  /** Local deliveries that got as far as a dot-qmail file: what its lines did. */
  readonly lines?: LinesDone;
  /** Remote: how the far side was found; on the first recipient of a transaction only. */
  readonly reached?: Reached;
};

/** The verdict on one recipient of an attempt. */
export type Outcome = Verdict & {
  readonly rcpt: RecipientNo;
  /** Nobody knows whether the far side took it: the next attempt may be a duplicate. */
  readonly doubt?: true;
  /** Deferred before anybody could try, since our own way out was away: it is due again at once. */
  readonly untried?: true;
};
