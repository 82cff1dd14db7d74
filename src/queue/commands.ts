/** What can be asked of a letter: by intake, recorder, recovery, operator and bounce. Each may do nothing. */
import type {
  Address,
  Arrival,
  BodyRef,
  Envelope,
  MessageId,
  RecipientNo,
} from '../mail/envelope.ts';
import type { Outcome } from '../mail/verdict.ts';
import type { Incarnation } from '../nodes/events.ts';
import type { Instant } from '../platform/clock.ts';
import type { ByHand, Parent, Route } from './events.ts';

export type AcceptMessage = {
  readonly type: 'AcceptMessage';
  readonly envelope: Envelope;
  readonly body: BodyRef;
  readonly arrival: Arrival;
  readonly parent?: Parent;
  readonly routes: readonly Route[];
  readonly controls: string;
  /** The node that says so, where several share the log. */
  readonly owner?: Incarnation;
  readonly at: Instant;
};

/** A lease fell to `by`, and with it the letters of `from`; `undefined`: those that were nobody's. */
export type AdoptMessage = {
  readonly type: 'AdoptMessage';
  readonly by: Incarnation;
  readonly from: Incarnation | undefined;
  readonly at: Instant;
};

export type StartAttempt = {
  readonly type: 'StartAttempt';
  readonly rcpts: readonly RecipientNo[];
  /** The routes of now, `routes[i]` for `rcpts[i]`. */
  readonly routes: readonly Route[];
  readonly controls: string;
  readonly at: Instant;
  /** `queuelifetime`, seconds. */
  readonly lifetimeSeconds: number;
  /** The longest the attempt can take. */
  readonly ceilingMs: number;
  /** Where several nodes share the log: nothing follows unless the letter is this one's. */
  readonly by?: Incarnation;
};

export type RecordReport = {
  readonly type: 'RecordReport';
  readonly attempt: number;
  readonly outcomes: readonly Outcome[];
  /** Letters that a delivery forwarded to, by recipient. */
  readonly children?: ReadonlyMap<RecipientNo, readonly MessageId[]>;
  /** What becomes of a letter with an outcome in doubt; default: `retry`, by the schedule. */
  readonly doubtPolicy?: 'retry' | 'hold';
  readonly at: Instant;
};

/** The attempt was under way when its maker stopped: nobody knows how it ended. */
export type DoubtAttempt = {
  readonly type: 'DoubtAttempt';
  readonly attempt: number;
  /** `retry`: try again at once, a duplicate is possible. `hold`: leave it to the operator. */
  readonly policy: 'retry' | 'hold';
  readonly why: string;
  readonly at: Instant;
};

export type HandCommand = ByHand & { readonly at: Instant } & (
    | { readonly type: 'Retry'; readonly rcpts?: readonly RecipientNo[] }
    | { readonly type: 'Hold' }
    | { readonly type: 'Release' }
    | { readonly type: 'Cancel'; readonly rcpts?: readonly RecipientNo[] }
    | { readonly type: 'Redirect'; readonly rcpt: RecipientNo; readonly to: Address }
  );

export type SettleBounce = {
  readonly type: 'SettleBounce';
  readonly bounce:
    | { readonly child: MessageId; readonly kind: 'bounce' | 'double-bounce'; readonly to: Address }
    | { readonly discard: string };
  readonly at: Instant;
};

export type QueueCommand =
  | AcceptMessage
  | AdoptMessage
  | StartAttempt
  | RecordReport
  | DoubtAttempt
  | HandCommand
  | SettleBounce;
