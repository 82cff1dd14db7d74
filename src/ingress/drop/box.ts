/**
 * The drop box, emptied by the engine: letters of users who found no engine, each a file in a directory
 * where everybody may make files and nobody may look around. Looks at its start, when the kernel says
 * that something has changed, and now and then all the same.
 *
 * What is no letter is set aside, never thrown away. Whoever fills the box with rubbish delays other
 * users' letters and loses none: the longer a look takes, the longer the rest after it.
 */
import { randomBytes } from 'node:crypto';
import { watch } from 'node:fs';
import { opendir, rename, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isTrouble } from '../../mail/trouble.ts';
import type { Cancel, Clock } from '../../platform/clock.ts';
import { errnoOf } from '../../platform/errno.ts';
import { dropPath, takeDrop, type OddDrop, type TakeParts } from './take.ts';

export type DropBoxParts = TakeParts & {
  readonly directory: string;
  /** Where odd files go; on the same file system. */
  readonly aside: string;
  readonly clock: Clock;
  readonly told: {
    /** `name` is a stranger's, byte by byte. `as`: its name in `aside`; absent: it could not be moved, and lies where it lay. */
    readonly aside: (name: string, odd: OddDrop, as: string | undefined) => void;
    readonly trouble: (cause: unknown) => void;
  };
  /** Calls back when something may have changed; the kernel's word where it has one. */
  readonly watch?: (directory: string, changed: () => void) => Cancel;
};

export interface DropBox {
  /** One look; rejects with what kept a letter from being taken. */
  look(): Promise<void>;
  /** Looks by itself from now on. */
  open(): void;
  /** Resolves when nothing of it is under way any more. */
  close(): Promise<void>;
}

/** Not everything that changes is told: what lies on a network, for instance. */
const everyMs = 30_000;

/** After a trouble. */
const pauseMs = 5_000;

/** A look may take a tenth of the time, no more. */
const restPerLook = 9;

/** Qmail gives a program a day to write its letter, and removes what is older than a day and a half. */
const abandonedMs = 129_600_000;

/** How many that cannot be moved are known by name, so that they are told of once. */
const maxKnown = 10_000;

export function openDropBox(parts: DropBoxParts): DropBox {
  const { directory, clock, told } = parts;
  const lying = new Set<string>();
  const bell = openBell(clock);
  let running: Promise<void> | undefined;
  let closed = false;

  const tell = async (name: string, odd: OddDrop): Promise<void> => {
    const as = await setAside(parts, name, odd);
    if (as === undefined && lying.size < maxKnown) lying.add(name);
    told.aside(name, odd, as);
  };
  const take = async (name: string): Promise<void> => {
    const taken = await takeDrop(directory, name, parts).catch((cause: unknown) => {
      // What hinders one letter hinders all; what is wrong with a file is wrong with that one.
      if (isTrouble(cause)) throw cause;
      // Its owner has thought better of it.
      if (errnoOf(cause) !== 'ENOENT') told.trouble(cause);
    });
    if (taken?.kind === 'odd') await tell(name, taken);
    if (taken?.kind === 'unfinished' && clock.now() - taken.changedAt > abandonedMs) {
      await tell(name, { ...taken, kind: 'odd', why: 'its program has not finished it' });
    }
  };
  const look = async (): Promise<void> => {
    for await (const { name } of await opendir(directory, { encoding: 'latin1' })) {
      if (closed) return;
      if (!lying.has(name)) await take(name);
    }
  };
  const run = async (): Promise<void> => {
    while (!closed) {
      bell.still();
      const since = clock.steady();
      const failed = await look().then(
        () => false,
        (cause: unknown) => {
          told.trouble(cause);
          return true;
        },
      );
      await bell.rest(failed ? pauseMs : (clock.steady() - since) * restPerLook);
      if (!failed) await bell.wait(everyMs);
    }
  };
  return {
    look,
    open() {
      const unwatch = (parts.watch ?? watched)(directory, () => bell.ring());
      running = run().finally(unwatch);
    },
    async close() {
      closed = true;
      bell.end();
      await running;
    },
  };
}

/** Its name there; `undefined`: another's folder, which cannot be moved, and is removed when it is empty. */
async function setAside(
  { directory, aside }: DropBoxParts,
  name: string,
  { uid }: OddDrop,
): Promise<string | undefined> {
  const path = dropPath(directory, name);
  const as = `${uid}-${randomBytes(8).toString('hex')}`;
  try {
    await rename(path, join(aside, as));
    return as;
  } catch {
    await rmdir(path).catch(() => undefined);
    return undefined;
  }
}

/** Something has changed, or time has passed, or it is over. */
function openBell(clock: Clock) {
  let rung = false;
  let ended = false;
  let wake: (() => void) | undefined;
  let wakesEarly = false;
  const pause = (ms: number, early: boolean): Promise<void> =>
    new Promise((resolve) => {
      if (ended || (early && rung)) return resolve();
      wakesEarly = early;
      const cancel = clock.after(ms, () => wake?.());
      wake = () => {
        wake = undefined;
        cancel();
        resolve();
      };
    });
  return {
    /** Forgets what was rung before. */
    still: (): void => void (rung = false),
    ring(): void {
      rung = true;
      if (wakesEarly) wake?.();
    },
    /** So long, whatever rings. */
    rest: (ms: number) => pause(ms, false),
    /** At most so long. */
    wait: (ms: number) => pause(ms, true),
    end(): void {
      ended = true;
      wake?.();
    },
  };
}

/** A directory that cannot be watched is looked at now and then only. */
function watched(directory: string, changed: () => void): Cancel {
  try {
    const watcher = watch(directory, changed);
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  } catch {
    return () => undefined;
  }
}
