/**
 * What the desk asks of others. It answers nobody out of its own memory: the log, the past, the views
 * and an operator's hand stand behind these; a page is what they said, in HTML.
 */
import type { Answer, Named } from '../ask/ports.ts';
import type { LogReader, Position } from '../log/ports.ts';
import type { MessageId, RecipientNo } from '../mail/envelope.ts';
import type { Clock, Instant } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Place } from '../past/ports.ts';
import type { Incarnation } from '../nodes/events.ts';
import type { Lease } from '../nodes/leases.ts';
import type { OperatorRequest } from '../queue/operator.ts';
import type { LetterFacts, QueueCounts, QueueRow } from '../trace/queue-rows.ts';
import type { Reason } from '../trace/reason.ts';
import type { NodeHistory } from '../trace/rules-of-the-day.ts';
import type { Views } from '../views/ports.ts';

export type QueueAsk = {
  /** Absent: now. */
  readonly place?: Place;
  readonly limit: number;
  readonly offset?: number;
};

export type QueueEntry = QueueRow & { readonly letter: LetterFacts };

/** The queue as it stood. */
export type QueueThen = {
  /** In the order in which they are due. */
  readonly entries: readonly QueueEntry[];
  readonly counts: QueueCounts;
  readonly at: Instant;
  readonly position: Position;
};

export interface Queue {
  queueAt(ask: QueueAsk): Promise<QueueThen>;
  /** First and last instant of the log; `undefined` while it is empty. */
  span(): Promise<Span | undefined>;
}

export type Span = { readonly first: Instant; readonly last: Instant };

export interface Letters {
  /** From what a person types; throws `not-found`. */
  find(text: string): Promise<MessageId>;
  /** Why these recipients, or all of them, are where they are, or were; throws `not-found` where it was not there yet. */
  reasons(
    message: MessageId,
    how?: { readonly rcpt?: RecipientNo; readonly place?: Place },
  ): Promise<Reasons>;
  /** Subject line of a letter whose body is still kept at hand. */
  subject(message: MessageId): Promise<string | undefined>;
}

/** `now`: the instant that they are true at. */
export type Reasons = { readonly reasons: readonly Reason[]; readonly now: Instant };

/** What the log knows of engines' starts and control files. */
export type OwnHistory = (upTo?: Position) => Promise<NodeHistory>;

/** An engine that works on the log, or did. */
export type NodeSeen = {
  readonly node: string;
  readonly status: 'alone' | Lease['status'];
  /** Not done, and its own. */
  readonly letters: number;
  /** Of this start. */
  readonly openedAt: Instant | undefined;
  /** Absent: it has the log to itself. */
  readonly lease?: Pick<Lease, 'incarnation' | 'heardAt' | 'beatMs' | 'ttlMs' | 'taken'> & {
    /** Who answers for its letters. */
    readonly heir: Incarnation;
  };
};

export type NodesSeen = {
  /** Oldest first. */
  readonly nodes: readonly NodeSeen[];
  /** Letters from before there were nodes, which nobody has adopted yet. */
  readonly ofNobody: number;
};

export interface Nodes {
  /** Rejects with `busy` until they are known. */
  rows(): Promise<NodesSeen>;
  /** Whose a letter is that is not done; `undefined`: there is one engine only, or nobody knows yet. */
  ownerOf(message: MessageId): Incarnation | undefined;
  /** The name that stays the same over restarts. */
  nameOf(incarnation: Incarnation): string | undefined;
}

/** Why nothing new is heard of the log, in words for a person. */
export type Outage = { readonly since: Instant; readonly words: string };

/** Something that the desk keeps and does not have complete yet. */
export type Preparing = {
  readonly what: 'views' | 'past';
  readonly position: Position;
  readonly head: Position;
};

/** What the engine says of itself. */
export type EngineState = {
  readonly running: boolean | undefined;
  readonly trouble: string | undefined;
  readonly roles: readonly { readonly name: string; readonly state: string }[];
};

/** An operator's hand: orders to the queue, which records them with who and why. */
export interface Hand {
  /** How many events followed: 0 when there was nothing left to do. */
  act(request: OperatorRequest): Promise<number>;
  retryAll(by: string, why: string): Promise<void>;
}

/** Questions that can be asked of all mail (`waybill ask`). */
export interface Questions {
  list(): Promise<readonly Named[]>;
  /** Throws an Error whose message a person understands when the options make no sense. */
  ask(
    name: string,
    how: { readonly place?: Place; readonly given: { readonly [option: string]: string } },
  ): Promise<Answer>;
}

/** The past under other control files (`waybill what-if`). */
export interface Otherwise {
  /** Those in force now, by name. */
  files(): Promise<{ readonly [name: string]: string }>;
  /** The differences as lines of text, if these files were as given; throws `ControlMistake` for nonsense. */
  compare(
    changed: { readonly [name: string]: string },
    since: Instant | undefined,
  ): Promise<readonly string[]>;
}

export type DeskParts = {
  readonly settings: DeskSettings;
  readonly log: Pick<LogReader, 'readStream' | 'readAll' | 'head'>;
  readonly queue: Queue;
  readonly views: Views;
  readonly letters: Letters;
  readonly hand: Hand;
  readonly engine: () => Promise<EngineState>;
  readonly nodes: Nodes;
  /** What is not complete yet, and will be. */
  readonly preparing?: () => readonly Preparing[];
  readonly outage?: () => Outage | undefined;
  readonly questions?: Questions;
  readonly otherwise?: Otherwise;
  readonly clock: Clock;
  readonly logger: Logger;
};

export type DeskSettings = {
  /** Where it listens; `fd`: an open socket handed down by `start`. Port 0: any free one. */
  readonly listen: { readonly host: string; readonly port: number; readonly fd?: number };
  /** Names and addresses, besides those of the loopback, by which browsers may call us (`desk.b.test`, `desk.b.test:443`). */
  readonly hosts: readonly string[];
  /** Line of the password file, as it is now; absent: nobody has set one. */
  readonly password: string | undefined;
  /** The secret behind one-time links and of programs (`Authorization: Bearer`). */
  readonly token: string;
  /** Whose connections over the loopback need no password while none is set; the kernel says whose they are. */
  readonly ownUid: number | undefined;
  readonly node: string;
  readonly version: string;
};
