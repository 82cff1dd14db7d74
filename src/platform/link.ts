/**
 * The link between two roles: requests, answers and notices over one duplex byte stream, each with a
 * JSON part and, if need be, bytes that are passed on as they are.
 *
 * Frame: u32 length of the rest, u32 length of the JSON, JSON, bytes (big-endian).
 * A peer that breaks the grammar or a limit is cut off; it is never trusted to be one of ours.
 * When the stream ends, every open request fails with `link-down`: its outcome is unknown.
 */
import type { Duplex } from 'node:stream';
import { isTrouble, Trouble, type TroubleCode } from '../mail/trouble.ts';

export type Answer = { readonly value?: unknown; readonly bytes?: Uint8Array | undefined };

/** What one side does for the other. A rejection travels as a `Trouble`; other errors as `refused`, detail kept here. */
export type Handler = (
  args: unknown,
  bytes: Uint8Array | undefined,
  caller: Caller,
) => Promise<Answer | void> | Answer | void;

export type Handlers = { readonly [method: string]: Handler };

/** The asking side, as a handler sees it. */
export type Caller = {
  readonly link: Link;
  /** Aborts when the request is taken back or the link goes down. */
  readonly signal: AbortSignal;
};

export interface Link {
  /** Asks and waits. Errors: whatever the handler threw, `link-down`, `link-timeout`, `busy`. */
  request(method: string, args: unknown, options?: RequestOptions): Promise<Answer>;
  /** Tells without waiting; lost when the link is down. */
  notify(method: string, args: unknown, bytes?: Uint8Array): void;
  /** Resolves when the link is gone, for whatever reason. */
  readonly closed: Promise<void>;
  /** Sends what is buffered, then ends. */
  close(): void;
}

export type RequestOptions = {
  readonly bytes?: Uint8Array | undefined;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
};

type Frame =
  | { readonly k: 'q'; readonly i: number; readonly m: string; readonly a?: unknown }
  | { readonly k: 'n'; readonly m: string; readonly a?: unknown }
  | { readonly k: 'x'; readonly i: number }
  | { readonly k: 'r'; readonly i: number; readonly v?: unknown }
  | {
      readonly k: 'e';
      readonly i: number;
      readonly c: TroubleCode;
      readonly t: boolean;
      readonly p: string;
      readonly d: string;
    };

type Open = {
  resolve(answer: Answer): void;
  reject(cause: unknown): void;
  cleanUp(): void;
};

export type LinkLimits = {
  /** Longest JSON part and longest byte part accepted, in bytes. */
  readonly jsonBytes: number;
  readonly bodyBytes: number;
  /** Requests of ours that may be open at once; more are refused as `busy`. */
  readonly requests: number;
  /** Requests of theirs that may be open at once; beyond it we stop reading. */
  readonly served: number;
  /** The same for the bytes that came with them. */
  readonly servedBytes: number;
  /**
   * Bytes of ours that they have not taken; beyond it we stop reading what they ask. For one side of a
   * link only: two that wait for each other would wait for ever.
   */
  readonly unsentBytes: number;
};

const defaultLimits: LinkLimits = {
  jsonBytes: 8 * 1024 * 1024,
  bodyBytes: 1024 * 1024,
  requests: 50_000,
  served: 20_000,
  servedBytes: 64 * 1024 * 1024,
  unsentBytes: Infinity,
};

export function openLink(
  stream: Duplex,
  handlers: Handlers = {},
  options: {
    readonly limits?: Partial<LinkLimits>;
    readonly onBug?: (cause: unknown) => void;
  } = {},
): Link {
  return new StreamLink(stream, handlers, { ...defaultLimits, ...options.limits }, options.onBug);
}

class StreamLink implements Link {
  readonly #stream: Duplex;
  readonly #handlers: Handlers;
  readonly #limits: LinkLimits;
  readonly #onBug: (cause: unknown) => void;
  readonly #open = new Map<number, Open>();
  readonly #serving = new Map<number, AbortController>();
  #parser: FrameParser;
  /** Bytes of the requests being served. */
  #held = 0;
  #next = 1;
  #corked = false;
  #down = false;
  readonly closed: Promise<void>;

  constructor(
    stream: Duplex,
    handlers: Handlers,
    limits: LinkLimits,
    onBug: (cause: unknown) => void = () => undefined,
  ) {
    this.#stream = stream;
    this.#handlers = handlers;
    this.#limits = limits;
    this.#onBug = onBug;
    this.#parser = new FrameParser(limits);
    this.closed = new Promise((resolve) => {
      stream.once('close', () => {
        this.#fall();
        resolve();
      });
    });
    stream.on('error', () => stream.destroy());
    stream.on('end', () => stream.destroy());
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.on('drain', () => this.#readOn());
  }

  request(method: string, args: unknown, options: RequestOptions = {}): Promise<Answer> {
    if (this.#down) return Promise.reject(linkDown());
    if (this.#open.size >= this.#limits.requests) {
      return Promise.reject(
        new Trouble('busy', { tryAgain: true, peer: 'too much at once (#4.3.2)' }),
      );
    }
    if (options.signal?.aborted === true) return Promise.reject(linkDown('taken back'));
    const i = this.#next++;
    return new Promise((resolve, reject) => {
      this.#send({ k: 'q', i, m: method, a: args }, options.bytes);
      this.#open.set(i, { resolve, reject, cleanUp: this.#arrange(i, options) });
    });
  }

  notify(method: string, args: unknown, bytes?: Uint8Array): void {
    if (this.#down) return;
    try {
      this.#send({ k: 'n', m: method, a: args }, bytes);
    } catch (cause) {
      this.#onBug(cause);
    }
  }

  close(): void {
    this.#stream.end();
  }

  /** Time limit and cancellation of one request; returns how to take them back. */
  #arrange(i: number, { timeoutMs, signal }: RequestOptions): () => void {
    if (timeoutMs === undefined && signal === undefined) return nothing;
    const fail = (cause: Trouble) => {
      const open = this.#settle(i);
      if (open === undefined) return;
      this.#send({ k: 'x', i }, undefined);
      open.reject(cause);
    };
    const cancel = () => fail(linkDown('taken back'));
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => fail(new Trouble('link-timeout', timedOut)), timeoutMs);
    signal?.addEventListener('abort', cancel, { once: true });
    return () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    };
  }

  #settle(i: number): Open | undefined {
    const open = this.#open.get(i);
    if (open === undefined) return undefined;
    this.#open.delete(i);
    open.cleanUp();
    return open;
  }

  /**
   * Everything said in one turn of the loop goes out in one write. Throws before anything is written:
   * what cannot be said in JSON, or is more than the far side takes (it would cut the link for all).
   */
  #send(frame: Frame, bytes: Uint8Array | undefined): void {
    const stream = this.#stream;
    if (stream.destroyed) return;
    const json = JSON.stringify(frame);
    const jsonBytes = Buffer.byteLength(json);
    const bodyBytes = bytes?.byteLength ?? 0;
    if (jsonBytes > this.#limits.jsonBytes || bodyBytes > this.#limits.bodyBytes) {
      throw new Trouble('too-large', tooLarge(jsonBytes, bodyBytes));
    }
    if (!this.#corked) {
      this.#corked = true;
      stream.cork();
      setImmediate(() => {
        this.#corked = false;
        stream.uncork();
      });
    }
    const head = Buffer.allocUnsafe(8 + jsonBytes);
    head.writeUInt32BE(4 + jsonBytes + bodyBytes, 0);
    head.writeUInt32BE(jsonBytes, 4);
    head.write(json, 8, 'utf8');
    stream.write(head);
    if (bytes !== undefined && bodyBytes > 0) stream.write(bytes);
  }

  #take(chunk: Buffer): void {
    try {
      this.#parser.push(chunk, (frame, bytes) => this.#hear(frame as Frame, bytes));
    } catch (cause) {
      this.#onBug(cause);
      this.#stream.destroy();
    }
  }

  #hear(frame: Frame, bytes: Uint8Array | undefined): void {
    switch (frame.k) {
      case 'q':
        void this.#serve(frame.i, frame.m, frame.a, bytes);
        break;
      case 'n':
        void this.#serve(undefined, frame.m, frame.a, bytes);
        break;
      case 'x':
        this.#serving.get(frame.i)?.abort();
        break;
      case 'r':
        this.#settle(frame.i)?.resolve({ value: frame.v, bytes });
        break;
      case 'e':
        this.#settle(frame.i)?.reject(
          new Trouble(frame.c, { tryAgain: frame.t, peer: frame.p, detail: frame.d }),
        );
        break;
      default:
        throw new Error('unknown frame on a link');
    }
  }

  async #serve(
    i: number | undefined,
    method: string,
    args: unknown,
    bytes: Uint8Array | undefined,
  ): Promise<void> {
    const abort = new AbortController();
    if (i !== undefined) {
      this.#serving.set(i, abort);
      this.#held += bytes?.byteLength ?? 0;
      if (this.#isLoaded(1)) this.#stream.pause();
    }
    try {
      const handler = Object.hasOwn(this.#handlers, method) ? this.#handlers[method] : undefined;
      if (handler === undefined) throw new Trouble('refused', notServed(method));
      const answer = await handler(args, bytes, { link: this, signal: abort.signal });
      if (i !== undefined && !this.#down) {
        this.#send({ k: 'r', i, v: answer?.value }, answer?.bytes);
      }
    } catch (cause) {
      if (!isTrouble(cause)) this.#onBug(cause);
      if (i !== undefined && !this.#down) this.#send(toErrorFrame(i, cause), undefined);
    } finally {
      if (i !== undefined) this.#served(i, bytes?.byteLength ?? 0);
    }
  }

  #served(i: number, bytes: number): void {
    this.#serving.delete(i);
    this.#held -= bytes;
    this.#readOn();
  }

  #readOn(): void {
    if (this.#stream.isPaused() && !this.#isLoaded(0.5)) this.#stream.resume();
  }

  /** Whether one of the limits of our service is reached, or that share of it. */
  #isLoaded(share: number): boolean {
    const { served, servedBytes, unsentBytes } = this.#limits;
    return (
      this.#serving.size > served * share ||
      this.#held > servedBytes * share ||
      this.#stream.writableLength > unsentBytes * share
    );
  }

  #fall(): void {
    this.#down = true;
    for (const i of [...this.#open.keys()]) this.#settle(i)?.reject(linkDown());
    for (const abort of this.#serving.values()) abort.abort();
    this.#serving.clear();
  }
}

const nothing = (): void => undefined;

const linkDown = (detail = 'the link went down') =>
  new Trouble('link-down', { tryAgain: true, peer: 'temporary failure (#4.3.0)', detail });

const timedOut = {
  tryAgain: true,
  peer: 'temporary failure (#4.3.0)',
  detail: 'no answer in time over the link',
} as const;

const notServed = (method: string) => ({
  tryAgain: false,
  peer: 'not served here',
  detail: `no handler for ${JSON.stringify(method).slice(0, 80)}`,
});

const tooLarge = (jsonBytes: number, bodyBytes: number) => ({
  tryAgain: false,
  peer: 'too large (#5.3.4)',
  detail: `${jsonBytes} + ${bodyBytes} bytes are more than a link carries at once`,
});

/** Words for ourselves, of any length. */
const detailChars = 1_000;

function toErrorFrame(i: number, cause: unknown): Frame {
  if (isTrouble(cause)) {
    const { code, tryAgain, peer, message } = cause;
    return { k: 'e', i, c: code, t: tryAgain, p: peer, d: message.slice(0, detailChars) };
  }
  const detail = cause instanceof Error ? cause.message : String(cause);
  const words = detail.slice(0, detailChars);
  return { k: 'e', i, c: 'refused', t: true, p: 'internal error (#4.3.0)', d: words };
}

/** Cuts a byte stream into frames, copying only what spans two chunks. */
class FrameParser {
  readonly #limits: LinkLimits;
  #parts: Buffer[] = [];
  #have = 0;
  /** Bytes needed before anything can be done. */
  #need = 8;

  constructor(limits: LinkLimits) {
    this.#limits = limits;
  }

  push(chunk: Buffer, hear: (frame: unknown, bytes: Uint8Array | undefined) => void): void {
    this.#parts.push(chunk);
    this.#have += chunk.byteLength;
    if (this.#have < this.#need) return;
    const all = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts, this.#have);
    let at = 0;
    this.#need = 8;
    while (all.byteLength - at >= 8) {
      const rest = all.readUInt32BE(at);
      const json = all.readUInt32BE(at + 4);
      this.#refuseOversize(rest, json);
      if (all.byteLength - at < 4 + rest) {
        this.#need = 4 + rest;
        break;
      }
      const bodyAt = at + 8 + json;
      at += 4 + rest;
      hear(
        JSON.parse(all.toString('utf8', bodyAt - json, bodyAt)),
        at > bodyAt ? all.subarray(bodyAt, at) : undefined,
      );
    }
    this.#parts = at < all.byteLength ? [all.subarray(at)] : [];
    this.#have = all.byteLength - at;
  }

  #refuseOversize(rest: number, json: number): void {
    const body = rest - 4 - json;
    if (json <= this.#limits.jsonBytes && body >= 0 && body <= this.#limits.bodyBytes) return;
    throw new Error(`frame of ${json} + ${body} bytes on a link`);
  }
}
