/** What is moved, from where to where: two sides, whatever their engines. */
import type { LogReader, NewEvent, Position, Revision, StreamName } from '../log/ports.ts';
import type { LogAtHand } from '../log/at-hand.ts';
import type { BodyRef } from '../mail/envelope.ts';
import type { Leases } from '../nodes/leases.ts';
import type { StagedBody } from '../spool/ports.ts';

/** One side: a log, and the bodies of its letters. */
export type Side = {
  /** For people; without secrets. */
  readonly name: string;
  readonly log: Pick<LogReader, 'readStream' | 'head' | 'damages'> & Pick<LogAtHand, 'readTexts'>;
  /** The bytes of a body. Breaks off with `body-missing` or `body-damaged`; whole only if the digest fits. */
  body(ref: BodyRef): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
};

export type Source = Side & {
  /** Who may still write to it, in words; `undefined`: nobody. `leases`: as the log had them. */
  writer(leases: Leases): Promise<string | undefined>;
};

/** Some events of one stream, which follow each other also in the whole log. */
export type Run = {
  readonly stream: StreamName;
  readonly expected: Revision;
  readonly events: readonly NewEvent[];
  readonly body?: StagedBody | undefined;
};

export type Target = Side & {
  /**
   * Makes a body durable. What it returns instead travels with the first event of its letter, and becomes
   * durable with that.
   */
  place(ref: BodyRef, pieces: AsyncIterable<Uint8Array>): Promise<StagedBody | undefined>;
  /**
   * Resolves when all of them are durable, in this order. When it rejects, some of them may be there: the
   * first ones, and never a later one without all before it.
   */
  append(runs: readonly Run[]): Promise<unknown>;
  /** Bodies that no letter needs any more. */
  remove(ids: readonly string[]): Promise<void>;
};

export type Phase = 'looking' | 'comparing' | 'copying' | 'verifying';

/** How far it is: a part of the whole, and what has gone through so far. */
export type Progress = {
  readonly phase: Phase;
  readonly events: number;
  /** Of the phase; 0 where nobody knows yet. */
  readonly of: number;
  readonly bodies: number;
  readonly bytes: number;
};

export type CopyOptions = {
  /** Damage is left behind instead of being a reason not to begin. */
  readonly leaveDamaged?: boolean;
  /** Writes nothing: only compares. */
  readonly verifyOnly?: boolean;
  readonly onProgress?: (progress: Progress) => void;
  /** Stops after the piece of work under way. */
  readonly signal?: AbortSignal;
};

/** What is not at the target and should be, or could be. */
export type LeftBehind = {
  /** Streams of letters that have lost an event: none of their events is at the target. */
  readonly streams: readonly StreamName[];
  /** Events of other streams that are lost: an `EventLost` stands in place of each. */
  readonly lost: number;
  /** So many events are lost, and nobody knows of which streams: they may have been the last of theirs. */
  readonly unknown: number;
  /** Letters that are not done and whose body is missing or damaged at the source. */
  readonly bodies: readonly string[];
};

export type Moved = {
  /** `running`: the source's engine may have written more since, and the same move again takes that, too. */
  readonly end: 'complete' | 'running';
  /** Events at the target, and those of them written now. */
  readonly events: number;
  readonly copied: number;
  /** Bodies of letters that are not done: all at the target were read; so many were written now. */
  readonly bodies: { readonly checked: number; readonly copied: number; readonly bytes: number };
  /** Last position at the source that was looked at, and the last of the target. */
  readonly from: Position;
  readonly to: Position;
  /** SHA-256 over all that the events say, in order: the same for every copy. */
  readonly digest: string;
  readonly left: LeftBehind;
  /** Who may still write to the source. */
  readonly writer: string | undefined;
};
