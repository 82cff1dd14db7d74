/**
 * One connection to the event store, kept alive. Every call has its own timer, because the client has none
 * that it keeps; a client that has gone bad is replaced as a whole, because some of its errors are for ever.
 * What is under way on the old one ends there, under its own timers.
 */
import type * as Client from '@kurrent/kurrentdb-client';
import type { KurrentDBClient } from '@kurrent/kurrentdb-client';
import type { Address } from '../../control/event-store-address.ts';
import { faultOf, NoAnswer, unavailable, type Fault } from './what-went-wrong.ts';

/** The client's package: loading it loads gRPC and a native part, so only who needs it does. */
export type Kurrent = typeof Client;

export type ConnectionOptions = {
  /** As `toAddress` gives it. */
  readonly address: Address;
  /** Waits between two clients: at first about so long, twice as long each time, up to a limit. */
  readonly firstPauseMs?: number;
  readonly longestPauseMs?: number;
  /** A client was given up. */
  readonly onReplaced?: (why: string) => void;
};

export type Call<T> = (client: KurrentDBClient, kurrent: Kurrent) => Promise<T>;

/** One try of one call: a connection, or some of them. */
export interface Caller {
  call<T>(what: string, limitMs: number, work: Call<T>): Promise<T>;
}

type Generation = { readonly client: KurrentDBClient; calls: number; isOld: boolean };

/** A client that worked for so long starts again with the first pause. */
const calmMs = 10_000;

export class Connection implements Caller {
  readonly #options: ConnectionOptions;
  #kurrent: Promise<Kurrent> | undefined;
  #current: Generation | undefined;
  #pauseMs: number;
  #bornAt = -Infinity;
  #notBefore = -Infinity;
  #closed = false;
  readonly counts = { calls: 0, replaced: 0 };

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#pauseMs = this.#firstPauseMs;
  }

  /** For reads, whose half of the client does not understand every password in an address. */
  get login(): { readonly credentials?: { username: string; password: string } } {
    const { credentials } = this.#options.address;
    return credentials === undefined ? {} : { credentials: { ...credentials } };
  }

  /** Loads the client's code; later it may be out of reach. */
  load(): Promise<Kurrent> {
    this.#kurrent ??= import('@kurrent/kurrentdb-client');
    return this.#kurrent;
  }

  /** One try of one call; rejects with the client's error, or `NoAnswer`. */
  async call<T>(what: string, limitMs: number, work: Call<T>): Promise<T> {
    const kurrent = await this.load();
    const generation = await this.#generation(kurrent, limitMs);
    this.counts.calls += 1;
    generation.calls += 1;
    try {
      return await inTime(what, limitMs, work(generation.client, kurrent));
    } catch (cause) {
      if (isForGood(faultOf(cause), cause)) this.#giveUp(generation, cause);
      throw cause;
    } finally {
      generation.calls -= 1;
      tidy(generation);
    }
  }

  /** A client for something that lasts; `lost` gives it up. */
  async lease(limitMs: number): Promise<{
    readonly client: KurrentDBClient;
    readonly kurrent: Kurrent;
    lost(cause: unknown): void;
    release(): void;
  }> {
    const kurrent = await this.load();
    const generation = await this.#generation(kurrent, limitMs);
    generation.calls += 1;
    let isHeld = true;
    return {
      ...{ client: generation.client, kurrent },
      lost: (cause) => {
        if (isForGood(faultOf(cause), cause)) this.#giveUp(generation, cause);
      },
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        generation.calls -= 1;
        tidy(generation);
      },
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    const generation = this.#current;
    this.#current = undefined;
    if (generation === undefined) return;
    // Its streams may have nobody at the other end any more.
    await inTime('close', 1_000, generation.client.dispose()).catch(() => undefined);
  }

  get #firstPauseMs(): number {
    return this.#options.firstPauseMs ?? 100;
  }

  async #generation(kurrent: Kurrent, limitMs: number): Promise<Generation> {
    const wait = this.#notBefore - performance.now();
    if (this.#current === undefined && wait > 0) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(wait, limitMs)));
    }
    if (this.#closed) throw unavailable('the log is closed');
    if (this.#current === undefined) {
      const client = kurrent.KurrentDBClient.connectionString(this.#options.address.url);
      this.#current = { client, calls: 0, isOld: false };
      this.#bornAt = performance.now();
    }
    return this.#current;
  }

  #giveUp(generation: Generation, cause: unknown): void {
    if (generation !== this.#current) return;
    const now = performance.now();
    if (now - this.#bornAt > calmMs) this.#pauseMs = this.#firstPauseMs;
    this.#current = undefined;
    generation.isOld = true;
    // Many nodes lose a server at the same moment, and should not come back at the same.
    this.#notBefore = now + this.#pauseMs * (0.5 + Math.random());
    this.#pauseMs = Math.min(2 * this.#pauseMs, this.#options.longestPauseMs ?? 5_000);
    this.counts.replaced += 1;
    this.#options.onReplaced?.(String((cause as Error).message));
    tidy(generation);
  }
}

/** Without an answer nobody knows what the client still does; the old one finishes what it can. */
const isForGood = (fault: Fault, cause: unknown): boolean =>
  fault === 'away' || cause instanceof NoAnswer;

function tidy({ client, calls, isOld }: Generation): void {
  if (isOld && calls === 0) client.dispose().catch(() => undefined);
}

/** Rejects with `NoAnswer` when the time is up; what comes later is not heard. */
export async function inTime<T>(what: string, limitMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NoAnswer(what, limitMs)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}
