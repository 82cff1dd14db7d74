/** One log as one node of several sees it: cut off, paused, dead, or only slow. */
import { concatMap, defer, type Observable } from 'rxjs';
import type { LogSignal, SharedLog } from '../../src/log/ports.ts';
import { Trouble } from '../../src/mail/trouble.ts';
import { turnOfTheLoop } from './faulty-log.ts';
import type { Chance } from './seeded.ts';

/** How it goes with one life of a node; changed from outside. */
export class Fate {
  /** The power is gone: nothing gets an answer any more. */
  over = false;
  /** The log cannot be reached; everything else can. */
  cut = false;
  /** The subscription stands still, though appends get through. */
  deaf = false;
  #paused: PromiseWithResolvers<void> | undefined;

  get paused(): boolean {
    return this.#paused !== undefined;
  }

  pause(): void {
    this.#paused ??= Promise.withResolvers<void>();
  }

  resume(): void {
    this.#paused?.resolve();
    this.#paused = undefined;
  }

  /** Where a process that stands still stops. */
  async here(): Promise<void> {
    while (this.#paused !== undefined) await this.#paused.promise;
    if (this.over) await never();
  }
}

export const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

const unreachable = () =>
  new Trouble('log-unavailable', { tryAgain: true, peer: 'temporary failure (#4.3.0)' });

export function nodeLog(log: SharedLog, fate: Fate, chance: Chance): SharedLog {
  const reached = async <T>(ask: () => Promise<T>): Promise<T> => {
    await fate.here();
    if (fate.cut) {
      await turnOfTheLoop();
      throw unreachable();
    }
    const asked = ask().then(
      (value) => ({ value }),
      (cause: unknown) => ({ cause }),
    );
    const answer = await asked;
    if (chance.happens(0.2)) await turnOfTheLoop();
    await fate.here();
    // Cut off meanwhile: nobody knows what came of it.
    if (fate.cut) throw unreachable();
    if ('cause' in answer) throw answer.cause;
    return answer.value;
  };
  const heard = async (signal: LogSignal): Promise<LogSignal> => {
    if (chance.happens(0.1)) await turnOfTheLoop();
    await fate.here();
    while (fate.cut || fate.deaf) {
      await turnOfTheLoop();
      await fate.here();
    }
    return signal;
  };
  return {
    async append(...args) {
      if (chance.happens(0.3)) await turnOfTheLoop();
      return reached(() => log.append(...args));
    },
    async appendTogether(...args) {
      if (chance.happens(0.3)) await turnOfTheLoop();
      return reached(() => log.appendTogether(...args));
    },
    canAppendTogether: () => reached(() => log.canAppendTogether()),
    keepYoungest: (...args) => reached(() => log.keepYoungest(...args)),
    readStream: (...args) => reached(() => log.readStream(...args)),
    readAll: (options) => reached(() => log.readAll(options)),
    head: () => reached(() => log.head()),
    subscribe: (position): Observable<LogSignal> =>
      log.subscribe(position).pipe(concatMap((signal) => defer(() => heard(signal)))),
    damages: () => [],
    close: async () => undefined,
  };
}
