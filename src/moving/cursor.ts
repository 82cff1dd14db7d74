/** Events one by one out of pages. */
import type { EventText } from '../log/ports.ts';

export class Cursor {
  readonly #pages: AsyncIterator<readonly EventText[]>;
  #page: readonly EventText[] = [];
  #at = 0;

  constructor(pages: AsyncIterable<readonly EventText[]>) {
    this.#pages = pages[Symbol.asyncIterator]();
  }

  /** How many can be taken without waiting; 0: the end. */
  async ready(): Promise<number> {
    while (this.#at >= this.#page.length) {
      const page = await this.#pages.next();
      if (page.done === true) return 0;
      this.#page = page.value;
      this.#at = 0;
    }
    return this.#page.length - this.#at;
  }

  /** Of those that are ready. */
  take(): EventText {
    const event = this.#page[this.#at]!;
    this.#at += 1;
    return event;
  }

  /** The next of those that are ready, and still there. */
  get next(): EventText | undefined {
    return this.#page[this.#at];
  }
}
