/**
 * New events as they come: one subscription to the event store for all who listen here, begun again wherever
 * it broke. The youngest are kept in memory; who lags behind them reads pages.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AllStreamSubscription, ResolvedEvent } from '@kurrent/kurrentdb-client';
import type { Damages } from '../sqlite/damages.ts';
import type { Position, RecordedEvent } from '../ports.ts';
import { Tail } from '../tail.ts';
import { inTime, type Connection } from './connection.ts';
import { fromStored, toPosition } from './event-shape.ts';
import { toStoredPosition } from './pages.ts';
import { NoAnswer } from './what-went-wrong.ts';

export type LiveOptions = {
  readonly connection: Connection;
  readonly prefixes: readonly string[];
  readonly damages: Damages;
  readonly limitMs: number;
  /** The subscription broke, or did not come about. */
  readonly onBroken?: (why: string) => void;
};

const firstPauseMs = 20;
const longestPauseMs = 2_000;
/** Windows of events that are not ours, between two words about how far it is. */
const checkpointInterval = 16;

export class Live {
  readonly tail: Tail;
  readonly #options: LiveOptions;
  /** Where to begin again: after the last event, or further where nothing was ours. */
  #resume: Position;
  #owed: Position = 0;
  #watch: NodeJS.Timeout | undefined;
  #break: ((cause: unknown) => void) | undefined;
  #closed = false;
  readonly #young: RecordedEvent[] = [];
  #flushing: NodeJS.Immediate | undefined;

  /** Follows from `head` on, which must be a position of the event store, or 0. */
  constructor(options: LiveOptions, head: Position) {
    this.#options = options;
    this.tail = new Tail(head);
    this.#resume = head;
    void this.#run();
  }

  /**
   * An event is there at this position, and should come by soon. Where it does not, the subscription only
   * seems to be alive.
   */
  expect(position: Position): void {
    if (this.#closed || position <= this.tail.head) return;
    this.#owed = Math.max(this.#owed, position);
    if (this.#watch !== undefined) return;
    const owed = this.#owed;
    const { limitMs } = this.#options;
    this.#watch = setTimeout(() => {
      this.#watch = undefined;
      if (this.tail.head < owed) this.#break?.(new NoAnswer('a subscription', limitMs));
      if (this.tail.head < this.#owed) this.expect(this.#owed);
    }, limitMs);
    this.#watch.unref();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#watch);
    this.#break?.(new Error('closed'));
    this.#flush();
    this.tail.close();
  }

  async #run(): Promise<void> {
    for (let pauseMs = firstPauseMs; !this.#closed;) {
      const heard = this.#resume;
      try {
        await this.#follow();
      } catch (cause) {
        if (!this.#closed) this.#options.onBroken?.(String((cause as Error).message));
      }
      pauseMs = this.#resume > heard ? firstPauseMs : Math.min(2 * pauseMs, longestPauseMs);
      if (!this.#closed) await sleep(pauseMs * (0.5 + Math.random()), undefined, { ref: false });
    }
  }

  /** To the end of one subscription, which is always a fault. */
  async #follow(): Promise<void> {
    const { connection, prefixes, limitMs } = this.#options;
    const lease = await connection.lease(limitMs);
    try {
      const { client, kurrent } = lease;
      const filter = kurrent.streamNameFilter({
        prefixes: [...prefixes],
        checkpointInterval,
        checkpointReached: async (_, position) => this.#passed(toPosition(position).position),
      });
      const fromPosition = this.#resume === 0 ? 'start' : toStoredPosition(this.#resume);
      const subscription = client.subscribeToAll({ fromPosition, filter });
      await this.#listen(subscription).finally(() => {
        subscription.unsubscribe().catch(() => undefined);
      });
    } catch (cause) {
      lease.lost(cause);
      throw cause;
    } finally {
      this.#break = undefined;
      this.#flush();
      lease.release();
    }
  }

  async #listen(subscription: AllStreamSubscription): Promise<never> {
    const broken = new Promise<never>((_, reject) => {
      this.#break = reject;
      subscription.on('error', reject);
      // No server ends a subscription in peace; one that goes away may seem to.
      const over = () => reject(new Error('the subscription is over'));
      subscription.on('end', over).on('close', over);
    });
    broken.catch(() => undefined);
    const confirmed = new Promise<void>((resolve) => subscription.once('confirmation', resolve));
    subscription.on('data', (resolved: ResolvedEvent) => this.#hear(resolved));
    if (this.#closed) this.#break!(new Error('closed'));
    await inTime('a subscription', this.#options.limitMs, Promise.race([confirmed, broken]));
    return broken;
  }

  #hear({ event: stored }: ResolvedEvent): void {
    if (stored === undefined) return;
    const told = fromStored(stored);
    const { position } = 'event' in told ? told.event : told.odd;
    // A subscription begun again says nothing twice; should one do so, it is not heard.
    if (position <= this.#resume) return;
    this.#resume = position;
    if ('odd' in told) return this.#options.damages.report(told.odd);
    this.#young.push(told.event);
    // Whatever comes in one turn of the loop is one page for those who listen.
    this.#flushing ??= setImmediate(() => this.#flush());
  }

  #passed(position: Position): void {
    this.#resume = Math.max(this.#resume, position);
  }

  #flush(): void {
    clearImmediate(this.#flushing);
    this.#flushing = undefined;
    this.tail.publish(this.#young.splice(0));
  }
}
