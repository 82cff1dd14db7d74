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
import { fromStored, toPosition, toStoredPosition, type Oddity } from './event-shape.ts';
import { quietMs } from './patience.ts';
import { NoAnswer, wordsOf } from './what-went-wrong.ts';

export type LiveOptions = {
  readonly connection: Connection;
  readonly prefixes: readonly string[];
  readonly damages: Damages;
  readonly oddity?: Oddity | undefined;
  readonly limitMs: number;
  /** Position of the last event in the log: asked when nothing has been heard for so long. */
  readonly head: () => Promise<Position>;
  readonly quietMs?: number | undefined;
  /** The subscription broke, or did not come about. */
  readonly onBroken?: (why: string) => void;
  /** It has come about. */
  readonly onFollowing?: () => void;
};

const firstPauseMs = 20;
const longestPauseMs = 2_000;
/**
 * So many events that are not ours the server looks through at once, and then says how far it is; by default it
 * looks through 32, and where others write much it would be busy with beginning again.
 */
const maxSearchWindow = 512;

export class Live {
  readonly tail: Tail;
  readonly #options: LiveOptions;
  /** Where to begin again: after the last event, or further where nothing was ours. */
  #resume: Position;
  #owed: Position = 0;
  #watch: NodeJS.Timeout | undefined;
  #break: ((cause: unknown) => void) | undefined;
  #closed = false;
  #isQuiet = false;
  readonly #round: NodeJS.Timeout;
  readonly #young: RecordedEvent[] = [];
  #flushing: NodeJS.Immediate | undefined;

  /** Follows from `head` on, which must be a position of the event store, or 0. */
  constructor(options: LiveOptions, head: Position) {
    this.#options = options;
    this.tail = new Tail(head);
    this.#resume = head;
    this.#round = setInterval(() => this.#look(), options.quietMs ?? quietMs);
    this.#round.unref();
    void this.#run();
  }

  /**
   * An event is there at this position, and should come by soon. Where it does not, the subscription only
   * seems to be alive.
   */
  expect(position: Position): void {
    if (this.#closed || position <= this.#resume) return;
    this.#owed = Math.max(this.#owed, position);
    if (this.#watch !== undefined) return;
    const [owed, before] = [this.#owed, this.#resume];
    const { limitMs } = this.#options;
    this.#watch = setTimeout(() => {
      this.#watch = undefined;
      // Among many events of others it may be long on its way: then it says how far it is.
      const isStill = this.#resume === before;
      if (isStill && before < owed) this.#break?.(new NoAnswer('a subscription', limitMs));
      this.expect(this.#owed);
    }, limitMs);
    this.#watch.unref();
  }

  /** Who appends nothing himself hears of nothing to expect: he asks now and then. */
  #look(): void {
    if (this.#isQuiet) {
      const { head } = this.#options;
      head().then(
        (position) => this.expect(position),
        () => undefined,
      );
    }
    this.#isQuiet = true;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#watch);
    clearInterval(this.#round);
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
        if (!this.#closed) this.#options.onBroken?.(wordsOf(cause));
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
        maxSearchWindow,
        checkpointInterval: 1,
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
    this.#options.onFollowing?.();
    return broken;
  }

  #hear({ event: stored }: ResolvedEvent): void {
    if (stored === undefined) return;
    const told = fromStored(stored, this.#options.oddity);
    const { position } = 'event' in told ? told.event : told.odd;
    // A subscription begun again says nothing twice; should one do so, it is not heard.
    if (position <= this.#resume) return;
    this.#isQuiet = false;
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
