/**
 * Everything that can happen to one letter. Stream: `message-<id>`.
 *
 * Exactly one terminal event per recipient, always: `RecipientDelivered`, `RecipientFailed` or
 * `RecipientCancelled`. Fields named in `personal` (below) are personal data.
 */
import type { EventOf } from '../log/ports.ts';
import type {
  Address,
  Arrival,
  BodyRef,
  Envelope,
  MessageId,
  RecipientNo,
} from '../mail/envelope.ts';
import type { LinesDone } from '../mail/lines-done.ts';
import type { Reached } from '../mail/reached.ts';
import { safeLine } from '../mail/sanitize.ts';
import type { Reply } from '../mail/verdict.ts';
import type { Incarnation } from '../nodes/events.ts';
import type { Instant } from '../platform/clock.ts';
import type { ChannelName, NextHop } from './ports.ts';

/** Where one recipient goes, and which line of which control file said so. */
export type Route = {
  readonly channel: ChannelName;
  readonly hop: NextHop;
  /** The address after envnoathost, percenthack and virtualdomains. */
  readonly address: Address;
  /** `locals: demo.test`, `virtualdomains: .sub.test:joe-sub`, `smtproutes: :relay`, `default: remote`. */
  readonly rule: string;
};

/** The letter that this one comes from. */
export type Parent = {
  readonly message: MessageId;
  readonly why: 'bounce' | 'double-bounce' | 'forward';
};

/** Who did it by hand, and what for. */
export type ByHand = { readonly by: string; readonly why: string };

/** What every verdict says. */
export type Tried = {
  readonly rcpt: RecipientNo;
  readonly address: Address;
  readonly attempt: number;
  readonly startedAt: Instant;
  readonly reply: Reply;
  /** Of a local delivery. */
  readonly lines?: LinesDone;
  /** Of a remote delivery, on the first recipient of its transaction: the others came the same way. */
  readonly reached?: Reached;
};

export type QueueEvent =
  | EventOf<
      'MessageAccepted',
      1,
      {
        readonly envelope: Envelope;
        readonly body: BodyRef;
        readonly arrival: Arrival;
        readonly parent?: Parent;
        /** The node that answers for the letter, where several share the log. */
        readonly owner?: Incarnation;
      }
    >
  /** Another node answers for it from now on: `from`'s lease is `by`'s. Without `from`, it was nobody's. */
  | EventOf<'MessageAdopted', 1, { readonly by: Incarnation; readonly from?: Incarnation }>
  /** `routes[n]` is recipient n's; `controls` is the digest of the control files in force (`ControlsLoaded`). */
  | EventOf<'MessageQueued', 1, { readonly routes: readonly Route[]; readonly controls: string }>
  /** Recorded before a connection is made. Without a verdict after it, the attempt is in doubt. */
  | EventOf<
      'AttemptStarted',
      1,
      {
        readonly attempt: number;
        readonly rcpts: readonly RecipientNo[];
        /** The routes of now, `routes[i]` for `rcpts[i]`; all share channel and hop. */
        readonly routes: readonly Route[];
        readonly controls: string;
        readonly why: 'first' | 'retry' | 'asked';
        /** The letter is older than `queuelifetime`: a deferral now is a failure. */
        readonly last: boolean;
        /** The attempt is over by then, one way or the other. */
        readonly untilAt: Instant;
      }
    >
  /** `children`: the letters that the delivery forwarded to. */
  | EventOf<'RecipientDelivered', 1, Tried & { readonly children?: readonly MessageId[] }>
  /** `doubt`: nobody knows whether the far side took it; the next attempt may be a duplicate. */
  | EventOf<'RecipientDeferred', 1, Tried & { readonly dueAt: Instant; readonly doubt?: true }>
  /** `expired`: it was a deferral, after `queuelifetime`. */
  | EventOf<'RecipientFailed', 1, Tried & { readonly expired?: true; readonly doubt?: true }>
  /** The last recipient is done and some failed: a bounce is owed. */
  | EventOf<'MessageSettled', 1, { readonly failed: readonly RecipientNo[] }>
  | EventOf<
      'BounceQueued',
      1,
      {
        readonly child: MessageId;
        readonly kind: 'bounce' | 'double-bounce';
        readonly to: Address;
      }
    >
  | EventOf<'BounceDiscarded', 1, { readonly why: string }>
  /** The end: nothing is owed any more and the body may go. */
  | EventOf<'MessageCleanedUp', 1, { readonly body: string }>
  | EventOf<'RetryRequested', 1, ByHand & { readonly rcpts: readonly RecipientNo[] }>
  | EventOf<'MessageHeld', 1, ByHand>
  | EventOf<'MessageReleased', 1, ByHand>
  | EventOf<'RecipientRedirected', 1, ByHand & { readonly rcpt: RecipientNo; readonly to: Address }>
  | EventOf<
      'RecipientCancelled',
      1,
      ByHand & { readonly rcpt: RecipientNo; readonly address: Address }
    >;

export type QueueEventType = QueueEvent['type'];

/** Which fields of `data` are personal data, so that erasure can be added without changing events. */
export const personal: { readonly [Type in QueueEventType]: readonly string[] } = {
  MessageAccepted: [
    'envelope',
    'arrival.peer',
    'arrival.peerHost',
    'arrival.helo',
    'arrival.auth',
    'arrival.messageId',
    'arrival.uid',
    'arrival.user',
  ],
  MessageAdopted: [],
  MessageQueued: ['routes'],
  AttemptStarted: ['routes'],
  RecipientDelivered: ['address', 'reply.text', 'lines', 'reached'],
  RecipientDeferred: ['address', 'reply.text', 'lines', 'reached'],
  RecipientFailed: ['address', 'reply.text', 'lines', 'reached'],
  MessageSettled: [],
  BounceQueued: ['to'],
  BounceDiscarded: [],
  MessageCleanedUp: [],
  RetryRequested: ['by'],
  MessageHeld: ['by'],
  MessageReleased: ['by'],
  RecipientRedirected: ['by', 'to'],
  RecipientCancelled: ['by', 'address'],
};

/** For a person, wherever it comes from: `event 17 (RecipientDelivered)`, without a place if it has none. */
export function eventName({
  type,
  position,
}: {
  readonly type: string;
  readonly position?: number;
}): string {
  const name = safeLine(type, 80);
  return position === undefined ? `the event ${name}` : `event ${position} (${name})`;
}

/** Stream of a letter. */
export const messageStream = (message: MessageId): string => `message-${message}`;

/** The letter whose stream it is, if it is one. */
export const messageOf = (stream: string): MessageId | undefined =>
  stream.startsWith('message-') ? stream.slice('message-'.length) : undefined;
