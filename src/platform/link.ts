/**
 * The link between two roles: requests, answers and notices over one duplex byte stream, each with a
 * JSON part and, if need be, bytes that are passed on as they are (`link-frames.ts`).
 *
 * A peer that breaks the grammar or a limit is cut off; it is never trusted to be one of ours.
 * When the stream ends, every open request fails with `link-down`: its outcome is unknown.
 */
import type { Duplex } from 'node:stream';
import { StreamLink } from './link-stream.ts';

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
