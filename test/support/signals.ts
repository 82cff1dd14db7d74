/** A subscriber that keeps all it hears, and can be waited for. */
import type { Observable, Subscription } from 'rxjs';
import type { LogSignal, RecordedEvent } from '../../src/log/ports.ts';

export class Listener {
  readonly heard: LogSignal[] = [];
  readonly events: RecordedEvent[] = [];
  ended: 'completed' | { readonly error: unknown } | undefined;
  readonly #subscription: Subscription;
  #waiting: { readonly until: () => boolean; readonly resolve: () => void }[] = [];

  constructor(signals$: Observable<LogSignal>, each?: (signal: LogSignal) => void) {
    this.#subscription = signals$.subscribe({
      next: (signal) => {
        this.heard.push(signal);
        if (signal.kind === 'event') this.events.push(signal.event);
        each?.(signal);
        this.#stir();
      },
      error: (error: unknown) => this.#end({ error }),
      complete: () => this.#end('completed'),
    });
  }

  get caughtUp(): number {
    return this.heard.filter(({ kind }) => kind === 'caught-up').length;
  }

  /** Resolves as soon as it holds; it is asked after each signal. */
  until(holds: (listener: this) => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ until: () => holds(this), resolve });
      this.#stir();
    });
  }

  untilEvents(count: number): Promise<void> {
    return this.until(({ events }) => events.length >= count);
  }

  untilEnded(): Promise<void> {
    return this.until(({ ended }) => ended !== undefined);
  }

  stop(): void {
    this.#subscription.unsubscribe();
  }

  #end(how: NonNullable<Listener['ended']>): void {
    this.ended = how;
    this.#stir();
  }

  #stir(): void {
    const ready = this.#waiting.filter(({ until }) => until());
    this.#waiting = this.#waiting.filter((waiting) => !ready.includes(waiting));
    for (const { resolve } of ready) resolve();
  }
}

/** Lets everything that is due now happen: timers of zero, immediates, promises. */
export const settle = async (turns = 5): Promise<void> => {
  for (let turn = 0; turn < turns; turn += 1) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
};
