/**
 * One consumer, held by this process. Positions come as fast as they like and are written as often as the
 * disk takes them; a stop in between leaves an older one, so that events are heard again and none is missed.
 */
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { logStart, type LogReader, type Position } from '../log/ports.ts';
import { lockDirectory, type DirectoryLock } from '../log/sqlite/lock.ts';
import { isTrouble, Trouble } from '../mail/trouble.ts';
import { placeIn, readCheckpoint, refused, writeCheckpoint } from './checkpoint.ts';
import { consumerFile, consumerNames, lockOf, makeConsumersFolder } from './names.ts';

export type Consumer = {
  /** Everything up to here is handled, and that is on disk. */
  readonly position: Position;
  /** Everything up to `position` is handled. Resolves when that is on disk; going back changes nothing. */
  handled(position: Position): Promise<void>;
  /** Writes what is still to be written, and lets go of the name. */
  close(): Promise<void>;
};

export type ConsumerOptions = {
  readonly log: Pick<LogReader, 'readAll' | 'readStream' | 'head'>;
  /** `data/consumers`; made when missing. */
  readonly directory: string;
  readonly name: string;
  /** Before each write: forces to disk what the position stands for. */
  readonly beforeSave?: () => void;
  /** Between two writes; default 100. */
  readonly everyMs?: number;
};

/** Throws `log-in-use` while another process holds the name, `refused` when the position is of another log. */
export async function openConsumer(options: ConsumerOptions): Promise<Consumer> {
  const { log, directory, name } = options;
  const file = consumerFile(directory, name);
  makeConsumersFolder(directory);
  const lock = hold(file, name);
  try {
    const before = readCheckpoint(file);
    if (before === undefined) await writeCheckpoint(file, log, logStart, Date.now());
    const start = before === undefined ? logStart : await placeIn(before, log, file);
    return keepPosition(options, file, start, lock);
  } catch (cause) {
    lock.release();
    throw cause;
  }
}

function keepPosition(
  options: ConsumerOptions,
  file: string,
  start: Position,
  lock: DirectoryLock,
): Consumer {
  const { log } = options;
  const saving = openSaving(options, file, start);
  const move = async (position: Position): Promise<void> => {
    if (!Number.isSafeInteger(position) || position < 0) throw refused('that is no position');
    if (position > (await log.head())) {
      throw refused(`event ${position} cannot have been handled: there is none yet`);
    }
    await saving.upTo(position);
  };
  /** Asking an event store for its end takes time, in which nothing is being written yet. */
  const moving = new Set<Promise<void>>();
  return {
    get position() {
      return saving.position;
    },
    handled(position) {
      const moved = move(position);
      const over = () => moving.delete(moved);
      moving.add(moved);
      moved.then(over, over);
      return moved;
    },
    async close() {
      saving.hurry();
      try {
        const last = [...moving];
        await Promise.allSettled(last);
        await Promise.all(last);
        await saving.done();
      } finally {
        lock.release();
      }
    },
  };
}

/** The file, written at most every `everyMs`: those who come while one is being written share the next one. */
function openSaving(
  { log, beforeSave, everyMs = 100 }: ConsumerOptions,
  file: string,
  start: Position,
) {
  let saved = start;
  let wanted = start;
  let next: Promise<void> | undefined;
  let pause: Promise<unknown> = Promise.resolve();
  const hurry = new AbortController();
  const write = async (): Promise<void> => {
    next = undefined;
    const position = wanted;
    try {
      beforeSave?.();
      await writeCheckpoint(file, log, position, Date.now());
      saved = position;
    } catch (cause) {
      // Whoever says it again has it tried again.
      wanted = saved;
      throw cause;
    }
  };
  const later = (): Promise<void> => {
    const written = pause.then(write);
    const rest = () => sleep(everyMs, undefined, { signal: hurry.signal }).catch(() => undefined);
    pause = written.then(rest, rest);
    return written;
  };
  return {
    get position() {
      return saved;
    },
    /** Resolves when it is on disk. */
    async upTo(position: Position): Promise<void> {
      if (position <= saved) return;
      wanted = Math.max(wanted, position);
      await (next ??= later());
    },
    /** From now on nothing is waited for but the disk. */
    hurry: () => hurry.abort(),
    async done(): Promise<void> {
      await next;
      await pause;
    },
  };
}

function hold(file: string, name: string): DirectoryLock {
  try {
    return lockDirectory(lockOf(file));
  } catch (cause) {
    if (!isTrouble(cause, 'log-in-use')) throw cause;
    throw new Trouble('log-in-use', {
      ...{ tryAgain: true, peer: 'in use', cause },
      detail: `another process holds the checkpoint ${name}`,
    });
  }
}

/** Forgets a consumer; the next of that name begins at the log's start. Throws `not-found`, or `log-in-use`. */
export function forgetConsumer(directory: string, name: string): void {
  if (!consumerNames(directory).includes(name)) {
    const parts = { tryAgain: false, peer: 'not found', detail: `there is no consumer ${name}` };
    throw new Trouble('not-found', parts);
  }
  const file = consumerFile(directory, name);
  const lock = hold(file, name);
  try {
    rmSync(file, { force: true });
  } finally {
    // The lock's file stays: somebody may be waiting for it.
    lock.release();
  }
}

/** Whether some process holds the name just now; `undefined` where we may not ask. */
export function isHeld(directory: string, name: string): boolean | undefined {
  try {
    hold(consumerFile(directory, name), name).release();
    return false;
  } catch (cause) {
    return isTrouble(cause, 'log-in-use') ? true : undefined;
  }
}
