/**
 * Who follows the log with a state of its own, which can be thrown away and computed again: the views,
 * the history of the queue. The role `desk` runs them, each failing and beginning again alone.
 */
import type { Observable } from 'rxjs';
import type { Logger } from '../platform/logger.ts';
import type { LogAtHand } from './at-hand.ts';
import type { LogReader, Position } from './ports.ts';

/** Where a consumer stands. */
export type ConsumerState = {
  /** Everything up to here is in its state. */
  readonly position: Position;
  /** Where the log ended when it was looked at last. */
  readonly head: Position;
  /** So many it has behind it, as far as it counts them. */
  readonly events?: number;
  /** It computes everything again. */
  readonly rebuilding?: boolean;
};

/** The log as those have it who stay with it, whatever engine keeps it. */
export type FollowedLog = LogReader &
  Pick<LogAtHand, 'version'> &
  Partial<Pick<LogAtHand, 'readTexts'>>;

export type ConsumerParts = {
  readonly log: FollowedLog;
  /** Of its own, and there; relative to the data directory, where the process is. */
  readonly directory: string;
  /** Between two pieces of work, of some milliseconds each: others come first. */
  readonly rest: () => Promise<void>;
  readonly logger: Logger;
};

export type LogConsumer = {
  /** Also the name of its directory. */
  readonly name: string;
  /** Follows until unsubscribed, then lets go of its files at once; an error starts it again, a little later. */
  readonly follow: (parts: ConsumerParts) => Observable<ConsumerState>;
};
