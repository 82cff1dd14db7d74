/** The identical call again and again, until it is answered or patience ends. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Call, Caller } from './connection.ts';
import { faultOf } from './what-went-wrong.ts';

export type Patience = {
  /** No answer for so long: asked again. */
  readonly limitMs: number;
  /** How long it is asked again and again. */
  readonly patienceMs: number;
  /** Whoever closes does not wait for what is out of reach. */
  readonly isOver?: () => boolean;
};

const firstPauseMs = 20;
const longestPauseMs = 1_000;

/** Rejects with what the client said last: an answer that is one, or trouble that did not end. */
export async function surely<T>(
  caller: Caller,
  what: string,
  { limitMs, patienceMs, isOver = () => false }: Patience,
  work: Call<T>,
): Promise<T> {
  const until = performance.now() + patienceMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      return await caller.call(what, limitMs, work);
    } catch (cause) {
      const isHopeful = ['again', 'elsewhere', 'away'].includes(faultOf(cause));
      if (!isHopeful || isOver() || performance.now() + pauseMs > until) throw cause;
      await sleep(pauseMs * (0.5 + Math.random()));
    }
  }
}
