/**
 * The spool: bodies by id, written once, never changed. A body is staged first (its bytes are safe,
 * or will be in the same transaction as the event that names it) and becomes real with that event.
 */
import type { BodyRef } from '../mail/envelope.ts';

/** Bodies up to this many bytes go into the log's own transaction; larger ones to a file of their own. */
export const inlineBodyBytes = 65_536;

/**
 * A body on its way in. With `inline`, the log's append carries the bytes to disk together with the
 * event; without, they are on disk already.
 */
export type StagedBody = {
  readonly ref: BodyRef;
  readonly inline?: Uint8Array;
};

/** A large body while it arrives. */
export interface BodyWriter {
  readonly id: string;
  /** Resolves when the writer takes more; rejects with `spool-full` when the disk does not. */
  write(chunk: Uint8Array): Promise<void>;
  /** Forces bytes and directory entry to disk. */
  stage(): Promise<StagedBody>;
  /** Throws the bytes away. */
  abandon(): Promise<void>;
}

export interface Spool {
  /** Stages a body that is in memory already; any size. */
  stage(id: string, bytes: Uint8Array): Promise<StagedBody>;
  /** Starts a body whose size is not known yet. */
  open(id: string): Promise<BodyWriter>;
  /**
   * The bytes from `offset`, at most `length`, fewer at the end.
   * Errors: `body-missing`, `body-damaged` (whole-body reads are checked against the digest).
   */
  read(ref: BodyRef, offset?: number, length?: number): Promise<Uint8Array>;
  /** Removes bodies that no event needs any more. Unknown ids are ignored. */
  remove(ids: readonly string[]): Promise<void>;
}
