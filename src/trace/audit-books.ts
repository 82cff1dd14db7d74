/** What the audit writes down: sums, open letters, and what cannot be. */
import type { Position, Revision } from '../log/ports.ts';
import type { BodyRef, MessageId, RecipientNo } from '../mail/envelope.ts';
import type { Instant } from '../platform/clock.ts';

/** Something in the log that cannot be. */
export type Mistake = {
  readonly position: Position;
  readonly stream: string;
  readonly what: string;
};

/** An attempt that nobody knows the end of. */
export type Doubt = {
  readonly message: MessageId;
  readonly recipient: RecipientNo;
  readonly attempt: number;
  readonly startedAt: Instant;
  readonly recordedAt: Instant;
};

export type Audit = {
  events: number;
  position: Position;
  readonly letters: { accepted: number; done: number };
  readonly recipients: { accepted: number; delivered: number; failed: number; cancelled: number };
  readonly bounces: { queued: number; discarded: number };
  attempts: number;
  /** The first thousand in full, all of them counted. */
  readonly mistakes: Mistake[];
  mistakeCount: number;
  readonly doubts: Doubt[];
  doubtCount: number;
  /** Letters that are not done. */
  readonly open: Map<MessageId, OpenLetter>;
};

export type OpenLetter = {
  readonly body: BodyRef;
  /** By recipient: w aiting, a ttempting, d elivered, f ailed, c ancelled. */
  readonly status: ('w' | 'a' | 'd' | 'f' | 'c')[];
  /** The number of the attempt that each is in, or was in last. */
  readonly attempt: number[];
  revision: Revision;
  /** The node that answers for it, where several share the log. */
  owner: string | undefined;
  queued: boolean;
  attempts: number;
  /** Recipients without a terminal event. */
  unfinished: number;
  failed: number;
  held: boolean;
  settled: boolean;
  answered: boolean;
  /** Children accepted so far that name this letter as their parent; most have none. */
  children: Set<MessageId> | undefined;
};

/** So many of a kind are kept; all are counted. */
export const mostKept = 1_000;

export const emptyAudit = (): Audit => ({
  ...{ events: 0, position: 0, attempts: 0, mistakeCount: 0, doubtCount: 0 },
  letters: { accepted: 0, done: 0 },
  recipients: { accepted: 0, delivered: 0, failed: 0, cancelled: 0 },
  bounces: { queued: 0, discarded: 0 },
  ...{ mistakes: [], doubts: [], open: new Map() },
});

type Place = { readonly position: Position; readonly stream: string };

/** Writes a mistake down. */
export function say(audit: Audit, { position, stream }: Place, what: string): void {
  audit.mistakeCount += 1;
  if (audit.mistakes.length < mostKept) audit.mistakes.push({ position, stream, what });
}
