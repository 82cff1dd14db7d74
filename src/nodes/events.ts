/**
 * Everything that can happen to the lease of one node. Stream: `lease-<incarnation>`; a process start is an
 * incarnation and opens a lease of its own. `LeaseTaken` is the last event of its stream.
 */
import type { EventOf, StreamName } from '../log/ports.ts';

/** A UUIDv7: incarnations sort by when they began. */
export type Incarnation = string;

export type WhyTaken = 'silent' | 'closed' | 'restarted';

export type LeaseEvent =
  | EventOf<
      'LeaseOpened',
      1,
      {
        /** The name that stays the same over restarts. */
        readonly node: string;
        readonly beatMs: number;
        readonly ttlMs: number;
        /** Which data directory of which machine, as a digest: whoever has it holds its lock. */
        readonly home?: string;
      }
    >
  /** `open`: letters of this node that are not done; `position`: how far its folds have come. */
  | EventOf<
      'LeaseBeat',
      1,
      { readonly count: number; readonly open: number; readonly position: number }
    >
  | EventOf<'LeaseDraining', 1, { readonly open: number }>
  /** No attempt runs any more; what is left is for others. */
  | EventOf<'LeaseClosed', 1, { readonly open: number }>
  /** Written by another incarnation, at exactly the revision it had seen. */
  | EventOf<'LeaseTaken', 1, { readonly by: Incarnation; readonly why: WhyTaken }>;

export const leaseStream = (incarnation: Incarnation): StreamName => `lease-${incarnation}`;

/** Whose lease the stream is, if it is one. */
export const incarnationOf = (stream: StreamName): Incarnation | undefined =>
  stream.startsWith('lease-') ? stream.slice('lease-'.length) : undefined;
