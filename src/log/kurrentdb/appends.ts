/**
 * Appends on their way to the event store: one at a time per stream, many streams side by side, each tried
 * again in the same words until it is known what became of it or patience ends.
 */
import type { JSONEventData, KurrentDBClient } from '@kurrent/kurrentdb-client';
import { RevisionConflict, Trouble } from '../../mail/trouble.ts';
import { eventId } from '../event-id.ts';
import { noStream, type Revision, type StreamName } from '../ports.ts';
import type { Caller } from './connection.ts';
import { surely, type Outage } from './surely.ts';
import { faultOf, toTrouble, unavailable } from './what-went-wrong.ts';

export type AppendRequest = {
  /** Of several the first: appends to one stream wait for each other. */
  readonly stream: StreamName;
  readonly bytes: number;
  /** One try. */
  readonly send: (client: KurrentDBClient) => Promise<Taken>;
  /** What the event store's answer means that the log is not as expected. */
  readonly refused: (cause: unknown) => Trouble;
  /** What must be durable before. */
  readonly first: (() => Promise<void>) | undefined;
};

/** What the event store says: revision and, unless it is a repetition, position of the last event. */
export type Taken = { readonly revision: Revision; readonly position: bigint | undefined };

export type AppenderOptions = {
  readonly caller: Caller;
  /** No answer for so long: asked again. */
  readonly limitMs: number;
  /** When nothing has been answered for so long, callers hear `log-unavailable`, and the outcome is unknown. */
  readonly patienceMs: number;
  /** Bytes that may wait; default 64 MiB. */
  readonly mostBytes?: number | undefined;
};

/** At most so much waits; beyond it callers hear `busy`, and doors say 451. */
const mostWaiting = 20_000;
const usualBytes = 64 * 1024 * 1024;
/** So many are under way at once, their bodies included. */
const mostAtOnce = 256;

export class Appender {
  readonly #options: AppenderOptions;
  readonly #tails = new Map<StreamName, Promise<unknown>>();
  readonly #queue: (() => void)[] = [];
  readonly #outage: Outage = { since: undefined };
  #active = 0;
  #waiting = 0;
  #bytes = 0;
  #idle: (() => void) | undefined;
  #closed = false;

  constructor(options: AppenderOptions) {
    this.#options = options;
  }

  append(request: AppendRequest): Promise<Taken> {
    if (this.#closed) return Promise.reject(unavailable('the log is closed'));
    const { mostBytes = usualBytes } = this.#options;
    const isTooMuch = this.#bytes > 0 && this.#bytes + request.bytes > mostBytes;
    if (this.#waiting >= mostWaiting || isTooMuch) {
      const busy = { tryAgain: true, peer: 'too much mail at once (#4.3.2)' };
      return Promise.reject(new Trouble('busy', busy));
    }
    this.#waiting += 1;
    this.#bytes += request.bytes;
    const { stream } = request;
    const before = this.#tails.get(stream);
    const done = this.#inTurn(before, request);
    this.#tails.set(stream, done);
    const tidy = (): void => {
      if (this.#tails.get(stream) === done) this.#tails.delete(stream);
      this.#waiting -= 1;
      this.#bytes -= request.bytes;
      if (this.#waiting === 0) this.#idle?.();
    };
    done.then(tidy, tidy);
    return done;
  }

  /** Refuses from now on; resolves when what has been asked for has been answered. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#waiting > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  /** Two to one stream could overtake each other on their way. */
  async #inTurn(before: Promise<unknown> | undefined, request: AppendRequest): Promise<Taken> {
    await before?.catch(() => undefined);
    await this.#slot();
    try {
      await request.first?.();
      return await this.#surely(request);
    } finally {
      this.#active -= 1;
      this.#queue.shift()?.();
    }
  }

  async #slot(): Promise<void> {
    if (this.#active >= mostAtOnce) await new Promise<void>((resolve) => this.#queue.push(resolve));
    this.#active += 1;
  }

  /** The event store knows its own events, and says yes twice. */
  async #surely({ stream, send, refused }: AppendRequest): Promise<Taken> {
    const { caller, limitMs, patienceMs } = this.#options;
    try {
      return await surely(
        caller,
        `an append to ${stream}`,
        { limitMs, patienceMs, outage: this.#outage },
        send,
      );
    } catch (cause) {
      if (faultOf(cause) === 'conflict') throw refused(cause);
      throw toTrouble(`appending to ${stream}`, cause);
    }
  }
}

/** The usual append: to one stream. */
export function appendTo(
  stream: StreamName,
  expected: Revision,
  events: readonly JSONEventData[],
): Pick<AppendRequest, 'stream' | 'send' | 'refused'> {
  const streamState = expected === noStream ? 'no_stream' : BigInt(expected);
  return {
    stream,
    async send(client) {
      const options = { streamState } as const;
      const { nextExpectedRevision, position } = await client.appendToStream(
        stream,
        [...events],
        options,
      );
      return { revision: Number(nextExpectedRevision), position: position?.commit };
    },
    refused: (cause) => conflictOf(stream, expected, cause),
  };
}

/**
 * Says of a stream how many of its youngest events suffice, where nothing was said before. The client's own call
 * for that expects nothing, whatever it is told to.
 */
export function keepingYoungest(
  stream: StreamName,
  events: number,
): Pick<AppendRequest, 'stream' | 'send' | 'refused'> {
  const about = `$$${stream}`;
  const type = '$metadata';
  const data = { $maxCount: events };
  const id = eventId(about, 0, 0, JSON.stringify(data));
  return appendTo(about, noStream, [
    { id, contentType: 'application/json', type, data, metadata: {} },
  ]);
}

function conflictOf(stream: StreamName, expected: Revision, cause: unknown): RevisionConflict {
  const { actualState } = cause as { actualState: bigint | 'no_stream' };
  const actual = actualState === 'no_stream' ? noStream : Number(actualState);
  return new RevisionConflict(stream, expected, actual);
}
