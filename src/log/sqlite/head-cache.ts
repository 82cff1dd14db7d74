/** The last revisions of the streams written most recently; a miss costs one indexed read. */
import type { Revision, StreamName } from '../ports.ts';

/** Two generations: when the young one is full it becomes the old one, and the old one is dropped. */
export class HeadCache {
  readonly #limit: number;
  #young = new Map<StreamName, Revision>();
  #old = new Map<StreamName, Revision>();

  constructor(limit: number) {
    this.#limit = Math.ceil(limit / 2);
  }

  get(stream: StreamName): Revision | undefined {
    return this.#young.get(stream) ?? this.#old.get(stream);
  }

  set(stream: StreamName, head: Revision): void {
    this.#young.set(stream, head);
    if (this.#young.size < this.#limit) return;
    this.#old = this.#young;
    this.#young = new Map();
  }
}
