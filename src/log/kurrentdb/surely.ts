/** The identical call again and again, until it is answered or patience ends. */
import type { Call, Caller } from './connection.ts';
import { faultOf, NoAnswer, type Fault } from './what-went-wrong.ts';

export type Patience = {
  /** No answer for so long: asked again. */
  readonly limitMs: number;
  /**
   * What may honestly take longer, such as a page that the server looks for among millions of events of
   * others, is given twice as long each time, up to this. Default: no longer.
   */
  readonly mostLimitMs?: number;
  /** How long it is asked again and again. */
  readonly patienceMs: number;
  /** Those whose patience is one: who comes when it is at its end is not told to wait as long once more. */
  readonly outage?: Outage;
  /** Whoever closes does not wait for what is out of reach. */
  readonly isOver?: () => boolean;
};

/** Since when nothing has been answered, by the process's own clock; from its first failure to the next success. */
export type Outage = { since: number | undefined };

const firstPauseMs = 20;
const longestPauseMs = 1_000;
/** However long an outage has lasted: whoever comes now may be the first who is heard again. */
const leastPatienceMs = 2_000;

/** Who waits for ever waits for rights, too: they may be given, or the password put right. */
const hopeful = (patienceMs: number): readonly Fault[] =>
  patienceMs === Infinity
    ? ['again', 'elsewhere', 'away', 'denied']
    : ['again', 'elsewhere', 'away'];

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Rejects with what the client said last: an answer that is one, or trouble that did not end. */
export async function surely<T>(
  caller: Caller,
  what: string,
  { limitMs, mostLimitMs = limitMs, patienceMs, outage, isOver = () => false }: Patience,
  work: Call<T>,
): Promise<T> {
  const start = performance.now();
  const until = () =>
    Math.min(
      start + patienceMs,
      Math.max(start + leastPatienceMs, (outage?.since ?? Infinity) + patienceMs),
    );
  let limit = limitMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      const answer = await caller.call(what, limit, work);
      if (outage !== undefined) outage.since = undefined;
      return answer;
    } catch (cause) {
      const isHopeful = hopeful(patienceMs).includes(faultOf(cause));
      if (outage !== undefined) {
        if (isHopeful) outage.since ??= start;
        else outage.since = undefined;
      }
      if (!isHopeful || isOver() || performance.now() + pauseMs > until()) throw cause;
      if (cause instanceof NoAnswer) limit = Math.min(2 * limit, mostLimitMs);
      await sleep(pauseMs * (0.5 + Math.random()));
    }
  }
}
