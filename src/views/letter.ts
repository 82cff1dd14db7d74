/** A letter as the views know it: a row for itself, one for each recipient, one for each verdict. */
import type { Position } from '../log/ports.ts';
import type { Address, MessageId, RecipientNo } from '../mail/envelope.ts';
import type { Instant } from '../platform/clock.ts';
import type { Parent } from '../queue/events.ts';

/** Small numbers in the rows; the SQL views spell them out. */
export const recipientStates = {
  waiting: 0,
  attempting: 1,
  delivered: 2,
  failed: 3,
  cancelled: 4,
} as const;
export type RecipientState = keyof typeof recipientStates;

/** Open recipients have a state up to this one. */
export const lastOpenState = recipientStates.attempting;

/** What is true of a letter, or of one of its recipients: one bit each. */
export const facts = {
  waiting: 1,
  held: 2,
  delivered: 4,
  failed: 8,
  cancelled: 16,
  bounced: 32,
  done: 64,
  doubt: 128,
} as const;

export const verdictKinds = { delivered: 0, deferred: 1, failed: 2 } as const;
export type VerdictName = keyof typeof verdictKinds;

export type ViewRecipient = {
  address: Address;
  /** What an operator redirected it from. */
  formerly: readonly Address[];
  channel: string;
  /** Next hop: the domain, or `local`. */
  host: string;
  /** Where `smtproutes` sends it instead. */
  relay: string | undefined;
  rule: string;
  state: RecipientState;
  attempts: number;
  /** Of the next attempt, while it waits. */
  dueAt: Instant | undefined;
  /** Position of the last verdict's event. */
  last: Position | undefined;
  /** An attempt of it was in doubt. */
  doubt: boolean;
};

export type ViewLetter = {
  /** Of its first event: its number in the views, and its place in time. */
  readonly pos: Position;
  readonly id: MessageId;
  readonly at: Instant;
  readonly returnPath: Address;
  readonly bytes: number;
  readonly protocol: string;
  readonly peer: string | undefined;
  readonly helo: string | undefined;
  readonly auth: string | undefined;
  /** Of its header; absent where the door did not look, or there was none. */
  readonly messageId: string | undefined;
  readonly parent: Parent | undefined;
  /** The bounce that it led to. */
  child: MessageId | undefined;
  held: boolean;
  doneAt: Instant | undefined;
  readonly recipients: ViewRecipient[];
};

/** One verdict on one recipient. */
export type ViewAttempt = {
  /** Of the verdict's event. */
  readonly pos: Position;
  readonly letter: Position;
  readonly rcpt: RecipientNo;
  readonly attempt: number;
  readonly startedAt: Instant;
  readonly endedAt: Instant;
  readonly kind: VerdictName;
  /** The next hop that was tried. */
  readonly host: string;
  readonly relay: string | undefined;
  readonly code: number | undefined;
  readonly status: string | undefined;
  /** Who answered. */
  readonly answeredBy: string | undefined;
  readonly address: string | undefined;
  readonly reply: string;
  readonly dueAt: Instant | undefined;
  readonly doubt: boolean;
};

/** The bits of `facts` that hold for one recipient, its letter's included. */
export function factsOfRecipient(letter: ViewLetter, { state, doubt }: ViewRecipient): number {
  const open = recipientStates[state] <= lastOpenState;
  return (
    (open ? (letter.held ? facts.held : facts.waiting) : 0) |
    (state === 'delivered' ? facts.delivered : 0) |
    (state === 'failed' ? facts.failed : 0) |
    (state === 'cancelled' ? facts.cancelled : 0) |
    (doubt ? facts.doubt : 0)
  );
}

export function factsOf(letter: ViewLetter): number {
  const own =
    (letter.child === undefined ? 0 : facts.bounced) |
    (letter.doneAt === undefined ? 0 : facts.done);
  return letter.recipients.reduce((all, each) => all | factsOfRecipient(letter, each), own);
}
