/**
 * The native half of the client, through which it reads. Once connected it never ends: neither `dispose` nor the
 * garbage collector takes its loop, its connections and its certificates away (75 KB with a `tlsCAFile`, 1.1 MB
 * with the system's). So it is made when the first read needs it, which those who only append never do; and a
 * client that is given up hands it on, unless the next one needs another.
 */
import { createRequire } from 'node:module';
import type { KurrentDBClient } from '@kurrent/kurrentdb-client';

type Pages = AsyncIterable<unknown>;

/** As the client asks it. */
type Native = {
  readStream(...asked: unknown[]): Pages;
  readAll(...asked: unknown[]): Pages;
};

type Bridge = { createClient: ((url: string) => Native) & { [isLazy]?: true } };

const isLazy = Symbol.for('waybill.lazyNative');

/** Puts off the making of native halves until they are asked; does nothing where the package is not as we know it. */
export function makeNativesLazy(): void {
  const { resolve } = createRequire(import.meta.url);
  const load = createRequire(resolve('@kurrent/kurrentdb-client'));
  const bridge = load('@kurrent/bridge') as Bridge;
  const make = bridge.createClient;
  if (typeof make !== 'function' || make[isLazy] === true) return;
  const lazily = (url: string): Native => {
    let native: Native | undefined;
    const made = (): Native => (native ??= make(url));
    return {
      readStream: (...asked) => made().readStream(...asked),
      readAll: (...asked) => made().readAll(...asked),
    };
  };
  bridge.createClient = Object.assign(lazily, { [isLazy]: true } as const);
}

/** Answers of a server that serves; after any other error of the first read all reads may fail for ever. */
const answers = new Set([
  'StreamNotFoundError',
  'StreamDeletedError',
  'NotLeaderError',
  'AccessDeniedError',
]);

/** Between two that are left behind and stay in memory: at first none, then these, twice as long each time. */
const firstPauseMs = 1_000;
const longestPauseMs = 60_000;
/** One that worked for so long is replaced without a pause. */
const calmMs = 60_000;

/** `lost`: its first read failed. */
type Half = {
  readonly native: Native;
  state: 'unused' | 'asked' | 'good' | 'lost';
  goodSince: number;
};

/** What the clients of one connection have of it, one after the other. */
export class NativeHalf {
  readonly #isAnybodyThere: () => Promise<boolean>;
  #half: Half | undefined;
  #pauseMs = 0;
  #keptUntil = -Infinity;

  /** Whether any host of the event store takes a connection now. */
  constructor(isAnybodyThere: () => Promise<boolean>) {
    this.#isAnybodyThere = isAnybodyThere;
  }

  /** Gives the client the one that there is; the first brings it. */
  handTo(client: KurrentDBClient): void {
    this.#half ??= { native: client.rustClient, state: 'unused', goodSince: 0 };
    Object.defineProperty(client, 'rustClient', { value: watched(this.#half) });
  }

  /** The next client needs another: this one never leaves the node that it has found. */
  giveUp(): void {
    const half = this.#half;
    if (half === undefined || half.state === 'unused') return;
    if (half.state !== 'lost') return this.#leave(half, performance.now());
    // Where there was nobody to connect to it has ended by itself, and takes no room; its error does not say.
    void this.#isAnybodyThere().then((isThere) => {
      if (isThere) this.#leave(half, performance.now());
      else this.#drop(half);
    });
  }

  /** It stays in memory: a cluster in trouble for days must not fill that. */
  #leave(half: Half, now: number): void {
    if (now < this.#keptUntil) return;
    const isCalm = half.state === 'good' && now - half.goodSince > calmMs;
    const longer = Math.min(Math.max(firstPauseMs, 2 * this.#pauseMs), longestPauseMs);
    this.#pauseMs = isCalm ? firstPauseMs : longer;
    this.#keptUntil = now + this.#pauseMs;
    this.#drop(half);
  }

  #drop(half: Half): void {
    if (this.#half === half) this.#half = undefined;
  }
}

function watched(half: Half): Native {
  const watch = (pages: Pages): Pages => ({
    [Symbol.asyncIterator]() {
      const iterator = pages[Symbol.asyncIterator]();
      return { next: () => watchedNext(half, iterator) };
    },
  });
  return {
    readStream: (...asked) => watch(half.native.readStream(...asked)),
    readAll: (...asked) => watch(half.native.readAll(...asked)),
  };
}

async function watchedNext(
  half: Half,
  iterator: AsyncIterator<unknown>,
): Promise<IteratorResult<unknown>> {
  if (half.state === 'unused') half.state = 'asked';
  try {
    const page = await iterator.next();
    isGood(half);
    return page;
  } catch (cause) {
    if (answers.has((cause as Error).name)) isGood(half);
    else if (half.state === 'asked') half.state = 'lost';
    throw cause;
  }
}

function isGood(half: Half): void {
  if (half.state === 'good') return;
  half.state = 'good';
  half.goodSince = performance.now();
}
