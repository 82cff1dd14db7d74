/**
 * Runs work that may never end: whoever writes a question may write an endless loop. Only `node:vm` can take
 * the processor away from running code; the function stays in its own world and sees nothing of the other.
 */
import { createContext, Script, type Context } from 'node:vm';

export type Ended = 'done' | 'late' | 'interrupted';

const script = new Script('work()');
const context: Context & { work?: () => void } = createContext({});

/** What `work` throws is thrown on. `interrupted`: by SIGINT, whose listeners do not hear of it. */
export function runWithin(limitMs: number, work: () => void): Ended {
  const before = context.work;
  context.work = work;
  try {
    script.runInContext(context, { timeout: limitMs, breakOnSigint: true });
    return 'done';
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return 'late';
    if (code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED') return 'interrupted';
    throw cause;
  } finally {
    context.work = before!;
  }
}
