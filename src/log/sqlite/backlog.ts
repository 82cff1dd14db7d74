/** Appends that wait for a commit: how many may, and how many one commit takes. */
import type { Appended, NewEvent } from '../ports.ts';
import type { WriteRequest } from './writer.ts';

export type Request = Omit<WriteRequest, 'events'> & {
  readonly events: readonly NewEvent[];
  readonly resolve: (appended: Appended) => void;
  readonly reject: (cause: unknown) => void;
};

/** At most so much waits; beyond it callers hear `busy`, and doors say 451. */
const maxPendingAppends = 20_000;
const maxPendingBytes = 64 * 1024 * 1024;
/** A commit takes no more than this, or one append, so that no batch holds the thread for long. */
const maxBatchAppends = 2_048;
const maxBatchBytes = 8 * 1024 * 1024;

export class Backlog {
  readonly #requests: Request[] = [];
  readonly #sizes: number[] = [];
  #bytes = 0;

  get length(): number {
    return this.#requests.length;
  }

  get isFull(): boolean {
    return this.#requests.length >= maxPendingAppends || this.#bytes >= maxPendingBytes;
  }

  push(request: Request): void {
    const size = bytesOf(request);
    this.#requests.push(request);
    this.#sizes.push(size);
    this.#bytes += size;
  }

  /** The oldest of them, for one commit. */
  takeBatch(): readonly Request[] {
    let appends = 0;
    let bytes = 0;
    while (appends < this.length && appends < maxBatchAppends && bytes < maxBatchBytes) {
      bytes += this.#sizes[appends]!;
      appends += 1;
    }
    this.#bytes -= bytes;
    this.#sizes.splice(0, appends);
    return this.#requests.splice(0, appends);
  }
}

/** About what will be written: a text of other scripts takes more bytes than characters. */
function bytesOf({ texts, content }: Request): number {
  let bytes = content?.byteLength ?? 0;
  for (const text of texts) bytes += text.length;
  return bytes;
}
