/**
 * Runs work that may never end: an endless loop in a question, an expression that loses its way. Only `node:vm` can
 * take the processor away from running code; the function stays in its own world and sees nothing of the other.
 */
import { createContext, Script, type Context } from 'node:vm';

export type Ended = 'done' | 'late';

const script = new Script('work()');
const context: Context & { work?: () => void } = createContext({});

/** What `work` throws is thrown on. */
export function runWithin(limitMs: number, work: () => void): Ended {
  const before = context.work;
  context.work = work;
  try {
    script.runInContext(context, { timeout: limitMs });
    return 'done';
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return 'late';
    throw cause;
  } finally {
    context.work = before!;
  }
}

/** Its stack would tell of our code. */
export function tookTooLong(what: string, limitMs: number): Error {
  const late = new Error(`${what} took longer than ${limitMs / 1000} s`);
  [late.name, late.stack] = ['too slow', ''];
  return late;
}
