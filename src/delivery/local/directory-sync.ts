/**
 * Forces directories to disk, together where it can: all that asked before a sync begins share it.
 * Twenty deliveries into one Maildir need two or three of them, not twenty.
 */
import { constants } from 'node:fs';
import { sync, type As, type FileCalls } from './file-calls.ts';

/** `as`: the rights to open the directory. */
export type SyncDirectory = (path: string, as: As) => Promise<void>;

export function directorySync(files: FileCalls): SyncDirectory {
  const running = new Map<string, Promise<void>>();
  const waiting = new Map<string, Promise<void>>();

  function start(path: string, as: As): Promise<void> {
    const done = syncNow(files, path, as).finally(() => running.delete(path));
    running.set(path, done);
    return done;
  }

  return (path, as) => {
    const current = running.get(path);
    if (current === undefined) return start(path, as);
    const next = waiting.get(path) ?? after(current, () => (waiting.delete(path), start(path, as)));
    waiting.set(path, next);
    return next;
  };
}

/** A sync that fails is the trouble of those who waited for it, not of the next. */
const after = (first: Promise<void>, then: () => Promise<void>): Promise<void> =>
  first.then(then, then);

async function syncNow(files: FileCalls, path: string, as: As): Promise<void> {
  const fd = as(() => files.openSync(path, constants.O_RDONLY | constants.O_DIRECTORY));
  try {
    await sync(files, fd);
  } finally {
    files.closeSync(fd);
  }
}
