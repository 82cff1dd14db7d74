/**
 * Reading while somebody writes. Who may not write looks at the index of the write-ahead log twice; finding it
 * in the middle of a change both times, and its writer just finished, SQLite says SQLITE_READONLY_RECOVERY. The next look
 * finds it whole. (Seen once in an hour on a busy machine, by a desk that has the lowest priority.)
 */
import { isTornIndex } from './sqlite-trouble.ts';

/** Each pause is twice the one before: 127 ms in all, in which this thread stands still. */
const longestPauseMs = 64;

const cell = new Int32Array(new SharedArrayBuffer(4));

/** Looks again until it is whole; throws what `read` throws, which is the same when its writer died in the middle. */
export function onceWhole<T>(read: () => T): T {
  for (let pauseMs = 1; ; pauseMs *= 2) {
    try {
      return read();
    } catch (cause) {
      if (!isTornIndex(cause) || pauseMs > longestPauseMs) throw cause;
      Atomics.wait(cell, 0, 0, pauseMs);
    }
  }
}
