/** One end of a link over a duplex byte stream: asks, and serves what the far side asks. */
import type { Duplex } from 'node:stream';
import { isTrouble, Trouble } from '../mail/trouble.ts';
import { FrameParser, FrameWriter, toErrorFrame, type Frame } from './link-frames.ts';
import { linkDown, OpenRequests } from './link-requests.ts';
import type { Answer, Handlers, Link, LinkLimits, RequestOptions } from './link.ts';

export class StreamLink implements Link {
  readonly #stream: Duplex;
  readonly #handlers: Handlers;
  readonly #limits: LinkLimits;
  readonly #onBug: (cause: unknown) => void;
  readonly #serving = new Map<number, AbortController>();
  readonly #requests: OpenRequests;
  readonly #parser: FrameParser;
  readonly #writer: FrameWriter;
  /** Bytes of the requests being served. */
  #held = 0;
  #next = 1;
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
    this.#writer = new FrameWriter(stream, limits);
    this.#requests = new OpenRequests((i) => this.#writer.send({ k: 'x', i }, undefined));
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
    if (this.#requests.size >= this.#limits.requests) {
      return Promise.reject(
        new Trouble('busy', { tryAgain: true, peer: 'too much at once (#4.3.2)' }),
      );
    }
    if (options.signal?.aborted === true) return Promise.reject(linkDown('taken back'));
    const i = this.#next++;
    return new Promise((resolve, reject) => {
      this.#writer.send({ k: 'q', i, m: method, a: args }, options.bytes);
      this.#requests.add(i, resolve, reject, options);
    });
  }

  notify(method: string, args: unknown, bytes?: Uint8Array): void {
    if (this.#down) return;
    try {
      this.#writer.send({ k: 'n', m: method, a: args }, bytes);
    } catch (cause) {
      this.#onBug(cause);
    }
  }

  close(): void {
    this.#stream.end();
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
        this.#requests.settle(frame.i)?.resolve({ value: frame.v, bytes });
        break;
      case 'e':
        this.#requests
          .settle(frame.i)
          ?.reject(new Trouble(frame.c, { tryAgain: frame.t, peer: frame.p, detail: frame.d }));
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
        this.#writer.send({ k: 'r', i, v: answer?.value }, answer?.bytes);
      }
    } catch (cause) {
      if (!isTrouble(cause)) this.#onBug(cause);
      if (i !== undefined && !this.#down) this.#writer.send(toErrorFrame(i, cause), undefined);
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
    this.#requests.failAll();
    for (const abort of this.#serving.values()) abort.abort();
    this.#serving.clear();
  }
}

const notServed = (method: string) => ({
  tryAgain: false,
  peer: 'not served here',
  detail: `no handler for ${JSON.stringify(method).slice(0, 80)}`,
});
