/**
 * One start at a time on this machine. Two useradds for the same name can both succeed, the later one
 * changing the number that the earlier gave: nobody may look between them.
 */
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isTrouble } from '../../mail/trouble.ts';

/** Root's alone, and gone at the next boot. */
const lockFile = '/run/waybill-accounts.lock';

const pauseMs = 50;
/** Longer than anybody's useradd takes. */
const patienceMs = 120_000;

/** Runs `work` when nobody else on this machine does; where there is no place for a lock, at once. */
export async function aloneOnMachine<T>(
  work: () => Promise<T>,
  file: string = lockFile,
): Promise<T> {
  const release = await locked(file);
  try {
    return await work();
  } finally {
    release?.();
  }
}

async function locked(file: string): Promise<(() => void) | undefined> {
  // Needed once in the life of a machine: not loaded at every start.
  const { lockDirectory } = await import('../../log/sqlite/lock.ts');
  const until = performance.now() + patienceMs;
  for (;;) {
    try {
      // Made so that nobody else can open it, and hold it.
      closeSync(openSync(file, 'a', 0o600));
      return lockDirectory(file).release;
    } catch (cause) {
      if (!isTrouble(cause, 'log-in-use')) return undefined;
      if (performance.now() > until) throw cause;
      await sleep(pauseMs);
    }
  }
}
