/** Where the writing hand lives: in the caller's own thread. `threaded-hand.ts` has it in another. */
import type { StreamName } from '../ports.ts';
import { LogWriter, type BatchResult, type WriteRequest, type WriterOptions } from './writer.ts';

/** One batch at a time: the next is given when `done` was called for the last. */
export interface Hand {
  /** `done` is called once, at once or later; the hand itself never fails. */
  commit(batch: readonly WriteRequest[], done: (result: BatchResult) => void): void;
  /** As `LogWriter.removeBodies`. */
  removeBodies(streams: readonly StreamName[]): Promise<readonly StreamName[]>;
  /** After the last batch is done. */
  close(): Promise<void>;
}

/** Opens or makes the log at `file`; throws as `LogWriter` does. */
export type OpenHand = (file: string, options: WriterOptions) => Hand;

export function inlineHand(file: string, options: WriterOptions): Hand {
  const writer = new LogWriter(file, options);
  return {
    commit(batch, done) {
      done(writer.commit(batch));
      writer.tidy();
    },
    async removeBodies(streams) {
      const others = writer.removeBodies(streams);
      writer.tidy();
      return others;
    },
    async close() {
      writer.close();
    },
  };
}
