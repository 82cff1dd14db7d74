/**
 * Ctrl-C and TERM for whoever follows a log. The first one asks for an orderly end; where the log keeps us
 * waiting, or at the second one, the process ends as it would have without us, by that signal.
 */

/** A read that is answered so soon is no hindrance. */
const graceMs = 100;

const signals = ['SIGINT', 'SIGTERM'] as const;

/** The read was given up. */
export class Hung extends Error {}

export class Interrupts {
  readonly #asked = new AbortController();
  #by: NodeJS.Signals = 'SIGINT';
  #hung = false;

  readonly #hear = (by: NodeJS.Signals): void => {
    this.#by = by;
    this.ignore();
    this.#asked.abort();
  };

  /** Aborted by the first of them. */
  get signal(): AbortSignal {
    return this.#asked.signal;
  }

  /** A read did not end in time after it. */
  get hung(): boolean {
    return this.#hung;
  }

  listen(): void {
    for (const signal of signals) process.once(signal, this.#hear);
  }

  ignore(): void {
    for (const signal of signals) process.off(signal, this.#hear);
  }

  /** What the work comes to; throws `Hung` when it still takes its time a moment after the signal. */
  async unlessHung<T>(work: Promise<T>): Promise<T> {
    work.catch(() => undefined);
    let late = (): void => undefined;
    let timer: NodeJS.Timeout | undefined;
    const given = new Promise<never>((_, reject) => {
      late = () => {
        timer = setTimeout(() => {
          this.#hung = true;
          reject(new Hung());
        }, graceMs);
      };
    });
    if (this.signal.aborted) late();
    else this.signal.addEventListener('abort', late, { once: true });
    try {
      return await Promise.race([work, given]);
    } finally {
      this.signal.removeEventListener('abort', late);
      clearTimeout(timer);
    }
  }

  /** Never returns to anybody who waits: what hangs is left hanging. */
  end(): void {
    this.ignore();
    process.kill(process.pid, this.#by);
  }
}
