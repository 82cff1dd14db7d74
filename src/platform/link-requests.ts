/** Requests of ours that wait for an answer, each with its time limit and its way of being taken back. */
import { Trouble } from '../mail/trouble.ts';
import type { Answer, RequestOptions } from './link.ts';

type Open = {
  resolve(answer: Answer): void;
  reject(cause: unknown): void;
  cleanUp(): void;
};

export class OpenRequests {
  readonly #open = new Map<number, Open>();
  /** Tells the far side that nobody waits any more. */
  readonly #takeBack: (i: number) => void;

  constructor(takeBack: (i: number) => void) {
    this.#takeBack = takeBack;
  }

  get size(): number {
    return this.#open.size;
  }

  add(
    i: number,
    resolve: (answer: Answer) => void,
    reject: (cause: unknown) => void,
    options: RequestOptions,
  ): void {
    this.#open.set(i, { resolve, reject, cleanUp: this.#arrange(i, options) });
  }

  /** The one to be answered, out of the table; nothing when nobody waits for it any more. */
  settle(i: number): Open | undefined {
    const open = this.#open.get(i);
    if (open === undefined) return undefined;
    this.#open.delete(i);
    open.cleanUp();
    return open;
  }

  failAll(): void {
    for (const i of [...this.#open.keys()]) this.settle(i)?.reject(linkDown());
  }

  /** Time limit and cancellation of one request; returns how to take them back. */
  #arrange(i: number, { timeoutMs, signal }: RequestOptions): () => void {
    if (timeoutMs === undefined && signal === undefined) return nothing;
    const fail = (cause: Trouble) => {
      const open = this.settle(i);
      if (open === undefined) return;
      this.#takeBack(i);
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
}

const nothing = (): void => undefined;

export const linkDown = (detail = 'the link went down') =>
  new Trouble('link-down', { tryAgain: true, peer: 'temporary failure (#4.3.0)', detail });

const timedOut = {
  tryAgain: true,
  peer: 'temporary failure (#4.3.0)',
  detail: 'no answer in time over the link',
} as const;
