/**
 * One connection to the event store, kept alive. Every call has its own timer, because the client has none
 * that it keeps; a client that has gone bad is replaced as a whole, because some of its errors are for ever.
 * What is under way on the old one ends there, under its own timers.
 */
import type { Channel } from '@grpc/grpc-js';
import type * as Client from '@kurrent/kurrentdb-client';
import type { KurrentDBClient } from '@kurrent/kurrentdb-client';
import {
  readCredentials,
  type Address,
  type Credentials,
} from '../../control/event-store-address.ts';
import { makeNativesLazy, NativeHalf } from './native-half.ts';
import * as patience from './patience.ts';
import { quickenBytes } from './quick-bytes.ts';
import { isAnybodyThere } from './why-nobody-answers.ts';
import { faultOf, NoAnswer, unavailable, wordsOf, type Fault } from './what-went-wrong.ts';

/** The client's package: loading it loads gRPC and a native part, so only who needs it does. */
export type Kurrent = typeof Client;

export type ConnectionOptions = {
  /** As `toAddress` gives it. */
  readonly address: Address;
  /** Waits between two clients: at first about so long, twice as long each time, up to a limit. */
  readonly firstPauseMs?: number;
  readonly longestPauseMs?: number;
  /** A node that has not been ready for so long may be cut off from the others. */
  readonly longestVainMs?: number;
  /** A client was given up. */
  readonly onReplaced?: (why: string) => void;
};

export type Call<T> = (client: KurrentDBClient, kurrent: Kurrent) => Promise<T>;

/** One try of one call: a connection, or some of them. */
export interface Caller {
  call<T>(what: string, limitMs: number, work: Call<T>): Promise<T>;
}

type Generation = {
  readonly client: KurrentDBClient;
  /** What it has opened, and would leave open. */
  readonly channels: readonly Channel[];
  calls: number;
  /** Of these and of those that nobody waits for any more, so many are not over. */
  pending: number;
  isOld: boolean;
};

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
  #credentials: Credentials | undefined;
  readonly #native: NativeHalf;
  /** Since when nobody was served, though the server answers. */
  #vainSince: number | undefined;
  readonly counts = { calls: 0, replaced: 0 };

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#credentials = options.address.credentials;
    this.#native = new NativeHalf(() => isAnybodyThere(options.address));
    this.#pauseMs = this.#firstPauseMs;
  }

  /** Loads the client's code; later it may be out of reach. */
  load(): Promise<Kurrent> {
    this.#kurrent ??= import('@kurrent/kurrentdb-client').then((kurrent) => {
      quickenBytes();
      makeNativesLazy();
      return kurrent;
    });
    return this.#kurrent;
  }

  /** One try of one call; rejects with the client's error, or `NoAnswer`. */
  async call<T>(what: string, limitMs: number, work: Call<T>): Promise<T> {
    const kurrent = await this.load();
    const generation = await this.#generation(kurrent, limitMs);
    this.counts.calls += 1;
    generation.calls += 1;
    try {
      const answer = await inTime(what, limitMs, this.#asked(generation, kurrent, work));
      this.#vainSince = undefined;
      return answer;
    } catch (cause) {
      if (isForGood(faultOf(cause), cause) || this.#isInVain(cause))
        this.#giveUp(generation, cause);
      throw cause;
    } finally {
      generation.calls -= 1;
      tidy(generation);
    }
  }

  #asked<T>(generation: Generation, kurrent: Kurrent, work: Call<T>): Promise<T> {
    const asked = work(generation.client, kurrent);
    generation.pending += 1;
    const over = (): void => {
      generation.pending -= 1;
      tidy(generation);
    };
    asked.then(over, over);
    return asked;
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
    generation.isOld = true;
    await letGo(generation);
  }

  get #firstPauseMs(): number {
    return this.#options.firstPauseMs ?? patience.firstPauseMs;
  }

  async #generation(kurrent: Kurrent, limitMs: number): Promise<Generation> {
    const wait = this.#notBefore - performance.now();
    if (this.#current === undefined && wait > 0) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(wait, limitMs)));
    }
    if (this.#closed) throw unavailable('the log is closed');
    if (this.#current === undefined) {
      const client = this.#dial(kurrent);
      this.#current = { client, channels: channelsOf(client), calls: 0, pending: 0, isOld: false };
      this.#bornAt = performance.now();
    }
    return this.#current;
  }

  /** The client itself stays with a node for as long as that answers. */
  #isInVain(cause: unknown): boolean {
    const isAgain = faultOf(cause) === 'again' && !(cause instanceof NoAnswer);
    this.#vainSince = isAgain ? (this.#vainSince ?? performance.now()) : undefined;
    const { longestVainMs = patience.longestVainMs } = this.#options;
    return isAgain && performance.now() - this.#vainSince! > longestVainMs;
  }

  #dial(kurrent: Kurrent): KurrentDBClient {
    const { address } = this.#options;
    const client = kurrent.KurrentDBClient.connectionString(address.url);
    this.#native.handTo(client);
    if (this.counts.replaced > 0) this.#readAgain();
    const credentials = this.#credentials;
    if (credentials === undefined) return client;
    client.setCredentialsProvider(async () => ({ ...credentials }));
    // Where it sees a provider it makes a call of every append, twice the work; ours are always the same.
    Object.defineProperty(client, 'credentialsProvider', { value: undefined });
    return client;
  }

  /** The last client may have been refused. Whoever has given up root's rights keeps what he has. */
  #readAgain(): void {
    const { credentialsFile } = this.#options.address;
    if (credentialsFile === undefined) return;
    try {
      this.#credentials = readCredentials(credentialsFile);
    } catch {
      // What is being written just now is read the next time.
    }
  }

  #giveUp(generation: Generation, cause: unknown): void {
    if (generation !== this.#current) return;
    const now = performance.now();
    if (now - this.#bornAt > calmMs) this.#pauseMs = this.#firstPauseMs;
    this.#current = undefined;
    this.#vainSince = undefined;
    generation.isOld = true;
    // Who was not let in is answered, and says at each read who he is.
    if (faultOf(cause) !== 'denied') this.#native.giveUp();
    // Many nodes lose a server at the same moment, and should not come back at the same.
    this.#notBefore = now + this.#pauseMs * (0.5 + Math.random());
    this.#pauseMs = Math.min(
      2 * this.#pauseMs,
      this.#options.longestPauseMs ?? patience.longestPauseMs,
    );
    this.counts.replaced += 1;
    this.#options.onReplaced?.(wordsOf(cause));
    tidy(generation);
  }
}

/**
 * Without an answer nobody knows what the client still does; the old one finishes what it can. One that was
 * denied may remember that for ever, and the credentials may be others by now.
 */
const isForGood = (fault: Fault, cause: unknown): boolean =>
  fault === 'away' || fault === 'denied' || cause instanceof NoAnswer;

function tidy(generation: Generation): void {
  if (generation.isOld && generation.calls === 0) void letGo(generation);
}

/** More than a call takes from being asked to being on its way. */
const closingMs = 1_000;

async function letGo(generation: Generation): Promise<void> {
  // Its streams may have nobody at the other end any more.
  await inTime('close', 1_000, generation.client.dispose()).catch(() => undefined);
  // A call that is made on a closed channel throws where nobody catches it, and that ends the process.
  const close = (): void => {
    if (generation.pending > 0) return;
    for (const channel of generation.channels) channel.close();
  };
  setTimeout(close, closingMs).unref();
}

/** All that it will open: it closes those it leaves for others, never the last. */
function channelsOf(client: KurrentDBClient): readonly Channel[] {
  const channels: Channel[] = [];
  const opening = client as unknown as { createChannel?: () => Promise<Channel> };
  const open = opening.createChannel;
  if (open === undefined) return channels;
  opening.createChannel = async () => {
    const channel = await open();
    channels.push(channel);
    return channel;
  };
  return channels;
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
