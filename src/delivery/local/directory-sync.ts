/**
 * Forces directories to disk, together where it can: all that asked before a sync begins share it.
 * Twenty deliveries into one Maildir need two or three of them, not twenty.
 */
import { constants } from 'node:fs';
import { sync, type FileCalls } from './file-calls.ts';

export type SyncDirectory = (path: string) => Promise<void>;

export function directorySync(files: FileCalls): SyncDirectory {
  const running = new Map<string, Promise<void>>();
  const waiting = new Map<string, Promise<void>>();

  function start(path: string): Promise<void> {
    const done = syncNow(files, path).finally(() => running.delete(path));
    running.set(path, done);
    return done;
  }

  return (path) => {
    const current = running.get(path);
    if (current === undefined) return start(path);
    const next = waiting.get(path) ?? after(current, () => (waiting.delete(path), start(path)));
    waiting.set(path, next);
    return next;
  };
}

/** A sync that fails is the trouble of those who waited for it, not of the next. */
const after = (first: Promise<void>, then: () => Promise<void>): Promise<void> =>
  first.then(then, then);

async function syncNow(files: FileCalls, path: string): Promise<void> {
  const fd = files.openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await sync(files, fd);
  } finally {
    files.closeSync(fd);
  }
}
