/**
 * Everything that can happen to the lease of one node. Stream: `lease-<incarnation>`; a process start is an
 * incarnation and opens a lease of its own. Only the youngest events of such a stream are kept, so that each
 * beat says again whose lease it is. `LeaseTaken` ends it; after it only an operator's word may follow.
 */
import type { EventOf, StreamName } from '../log/ports.ts';
import type { Instant } from '../platform/clock.ts';

/** A UUIDv7: incarnations sort by when they began. */
export type Incarnation = string;

/** `gone`: an operator had said that its node is. */
export type WhyTaken = 'silent' | 'closed' | 'restarted' | 'gone';

/** Whose lease it is, and what its node promises. */
export type LeaseFacts = {
  /** The name that stays the same over restarts. */
  readonly node: string;
  readonly beatMs: number;
  readonly ttlMs: number;
  /** Which data directory, as a digest: whoever has it holds its lock. */
  readonly home?: string;
  /** Under which kernel and mount, as a digest: there a lock is what it says, elsewhere there may be a copy. */
  readonly boot?: string;
  /** It accepts and starts nothing once its fence stands. */
  readonly fenced?: true;
};

export type LeaseEvent =
  | EventOf<'LeaseOpened', 1, LeaseFacts>
  /**
   * `open`: letters of this node that are not done; `position`: how far its folds have come; `lease`: what
   * `LeaseOpened` said, and when.
   */
  | EventOf<
      'LeaseBeat',
      1,
      {
        readonly count: number;
        readonly open: number;
        readonly position: number;
        readonly draining?: true;
        readonly lease?: LeaseFacts & { readonly openedAt: Instant };
      }
    >
  | EventOf<'LeaseDraining', 1, { readonly open: number }>
  /** No attempt runs any more; what is left is for others. */
  | EventOf<'LeaseClosed', 1, { readonly open: number }>
  /** Written by another incarnation, at exactly the revision it had seen. */
  | EventOf<'LeaseTaken', 1, { readonly by: Incarnation; readonly why: WhyTaken }>
  /** An operator's word that this node is no more and nothing of it is under way. */
  | EventOf<'LeaseDeclaredGone', 1, { readonly by: string; readonly why: string }>;

/** Stands before whatever a node whose lease was taken may still want to begin. Stream: `fence-<incarnation>`. */
export type FenceEvent = EventOf<'FenceRaised', 1, { readonly by: Incarnation }>;

/** Which fields of `data` are personal data. */
export const personal: {
  readonly [Type in (LeaseEvent | FenceEvent)['type']]: readonly string[];
} = {
  LeaseOpened: [],
  LeaseBeat: [],
  LeaseDraining: [],
  LeaseClosed: [],
  LeaseTaken: [],
  LeaseDeclaredGone: ['by'],
  FenceRaised: [],
};

/** So many events of a lease are kept: some minutes of beats, and what came after them. */
export const leaseEventsKept = 50;

export const leaseStream = (incarnation: Incarnation): StreamName => `lease-${incarnation}`;

export const fenceStream = (incarnation: Incarnation): StreamName => `fence-${incarnation}`;

/** Whose lease the stream is, if it is one. */
export const incarnationOf = (stream: StreamName): Incarnation | undefined =>
  stream.startsWith('lease-') ? stream.slice('lease-'.length) : undefined;
