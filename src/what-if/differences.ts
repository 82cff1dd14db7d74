/** What other control files would have changed, as data: one difference each, and what they come to. */
import type { Position } from '../log/ports.ts';
import type { Address, MessageId, RecipientNo } from '../mail/envelope.ts';
import type { Instant } from '../platform/clock.ts';
import type { Route } from '../queue/events.ts';
import type { RuleLine } from '../trace/rules-of-the-day.ts';

/**
 * `door`: a letter that came in would have been refused, or the other way round. `route`: it would have gone
 * elsewhere. `owner`: to another local user. `schedule`: tried at another time, or given up sooner or later.
 * `bounce`: its bounce would have told somebody else, or in another name.
 */
export type DifferenceKind = 'door' | 'route' | 'owner' | 'schedule' | 'bounce';

/** One side of a difference. */
export type Side = {
  /** In words that never change: `accepted`, `refused: not-in-rcpthosts`, `remote b.test`, `due 2026-…`. */
  readonly what: string;
  /** The lines that decide; empty where the absence of one does. */
  readonly lines: readonly RuleLine[];
  readonly route?: Pick<Route, 'channel' | 'hop' | 'address'>;
  readonly dueAt?: Instant;
};

export type Difference = {
  readonly kind: DifferenceKind;
  /** The event that was judged, and when it happened. */
  readonly position: Position;
  readonly at: Instant;
  /** Absent for what a door refused: it has no name. */
  readonly message?: MessageId;
  /** Absent where it concerns the letter as a whole. */
  readonly recipient?: RecipientNo;
  readonly address?: Address;
  readonly returnPath?: Address;
  /** Address and port of the client, of what a door refused. */
  readonly peer?: string;
  readonly was: Side;
  readonly wouldBe: Side;
  /** False where the record does not say enough to be sure. */
  readonly certain: boolean;
  /** The recorded outcome of a delivery was taken for what would have happened, too. */
  readonly fromRecord: boolean;
  /** The letter comes from one that would have fared differently, and might not have been at all. */
  readonly ofDiffering?: MessageId;
};

export type Summary = {
  readonly events: number;
  readonly letters: number;
  readonly recipients: number;
  /** Refusals on record that were judged again, and those that were only counted when they happened. */
  readonly refusals: number;
  readonly unrecorded: number;
  /** Letters with at least one difference, recipients or letters of each kind, and refusals that would be let in. */
  readonly differing: { readonly [K in DifferenceKind]: number } & {
    readonly letters: number;
    readonly refusals: number;
  };
  /** What was not judged, a sentence each. */
  readonly notes: readonly string[];
};
