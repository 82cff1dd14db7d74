/**
 * The log in a KurrentDB (EventStoreDB) cluster, through its official client. Durable when a majority of its
 * nodes has the event on disk; ordered as its leader wrote; shared by all who use the same cluster.
 *
 * What the client does not do is done here: a timer on every call, the identical append again when the
 * outcome is unknown, a new client when one has gone bad, subscriptions begun again where they broke.
 */
import { defer, from as fromPromise, switchMap, type Observable } from 'rxjs';
import type { Trouble } from '../../mail/trouble.ts';
import { isTrouble } from '../../mail/trouble.ts';
import type { StagedBody } from '../../spool/ports.ts';
import { encode, refuseStrayBody } from '../encode.ts';
import { isLogTrouble } from '../health.ts';
import type {
  Appended,
  Damage,
  EventLog,
  LogSignal,
  NewEvent,
  Position,
  ReadAll,
  ReadStream,
  RecordedEvent,
  Revision,
  StreamName,
} from '../ports.ts';
import { Damages } from '../sqlite/damages.ts';
import { subscribeTo } from '../subscription.ts';
import { AppendLanes } from './append-lanes.ts';
import { Appender } from './appends.ts';
import type { Connection } from './connection.ts';
import { toStored } from './event-shape.ts';
import { Live } from './live.ts';
import { Pages } from './pages.ts';
import { damaged, unavailable } from './what-went-wrong.ts';

/** Beginnings of the names of Waybill's streams; others in the same event store are not ours. */
export const ourPrefixes = ['message-', 'node-', 'door-', 'lease-'] as const;

export type KurrentLogOptions = {
  readonly connection: Connection;
  /** More of them, for appends when there are many. */
  readonly more?: readonly Connection[];
  /** Others' that are closed with the log. */
  readonly besides?: readonly Connection[];
  /** Makes a small body durable, before the event that names it. */
  readonly carry?: (staged: StagedBody) => Promise<void>;
  readonly onDamage?: (damage: Damage) => void;
  /** An append was not written, or nobody knows, for the log's own sake. */
  readonly onTrouble?: (trouble: Trouble) => void;
  readonly onBroken?: (why: string) => void;
  readonly prefixes?: readonly string[];
  /** No answer for so long: asked again. Default: 5,000 for appends, 10,000 for reads. */
  readonly appendLimitMs?: number;
  readonly readLimitMs?: number;
  /** After so long the caller hears `log-unavailable`; default 15,000. */
  readonly patienceMs?: number;
  /** Bytes of appends that may wait; more hear `busy`. Default 64 MiB. */
  readonly mostBytes?: number;
  /** As patienceMs, for subscribers, who by default wait for ever. */
  readonly subscriberPatienceMs?: number;
};

export class KurrentLog implements EventLog {
  readonly #options: KurrentLogOptions;
  readonly #prefixes: readonly string[];
  readonly #damages: Damages;
  readonly #appender: Appender;
  readonly #pages: Pages;
  readonly #subscribersPages: Pages;
  #live: Promise<Live> | undefined;
  #running: Live | undefined;
  #closed = false;

  constructor(options: KurrentLogOptions) {
    const { connection, appendLimitMs = 5_000, readLimitMs = 10_000 } = options;
    const {
      more = [],
      patienceMs = 15_000,
      subscriberPatienceMs = Infinity,
      prefixes = ourPrefixes,
    } = options;
    this.#options = options;
    this.#prefixes = prefixes;
    this.#damages = new Damages(options.onDamage);
    const caller = new AppendLanes([connection, ...more]);
    this.#appender = new Appender({
      ...{ caller, limitMs: appendLimitMs, patienceMs, mostBytes: options.mostBytes },
    });
    const reading = { connection, prefixes, damages: this.#damages, limitMs: readLimitMs };
    this.#pages = new Pages({ ...reading, patienceMs });
    this.#subscribersPages = new Pages({ ...reading, patienceMs: subscriberPatienceMs });
  }

  async append(
    stream: StreamName,
    expected: Revision,
    events: readonly NewEvent[],
    body?: StagedBody,
  ): Promise<Appended> {
    refuseStrayBody(stream, expected, events, body);
    this.#refuseStrange(stream, events);
    const texts = encode(events);
    const carries = body?.inline !== undefined && this.#options.carry !== undefined;
    const taken = this.#appender.append({
      ...{ stream, expected, events: toStored(stream, expected, events, texts) },
      bytes: (body?.inline?.byteLength ?? 0) + texts.reduce((sum, { length }) => sum + length, 0),
      first: carries ? () => this.#options.carry!(body) : undefined,
    });
    try {
      const { revision, position } = await taken;
      const at = position === undefined ? await this.#placeOf(stream, revision) : Number(position);
      this.#running?.expect(at);
      return { revision, position: at };
    } catch (cause) {
      const isOurs = isTrouble(cause) && isLogTrouble(cause) && !this.#closed;
      if (isOurs) this.#options.onTrouble?.(cause);
      throw cause;
    }
  }

  async readStream(
    stream: StreamName,
    options: ReadStream = {},
  ): Promise<readonly RecordedEvent[]> {
    this.#refuseIfClosed();
    return this.#pages.readStream(stream, options);
  }

  async readAll(options: ReadAll): Promise<readonly RecordedEvent[]> {
    this.#refuseIfClosed();
    return this.#pages.readAll(options);
  }

  async head(): Promise<Position> {
    this.#refuseIfClosed();
    return this.#pages.head();
  }

  subscribe(from: Position): Observable<LogSignal> {
    return defer(() => fromPromise(this.#started())).pipe(
      switchMap(({ tail }) => subscribeTo(this.#reader(tail), tail.moved$, from)),
    );
  }

  /** Position of the last event that a subscription here has heard; begins one. */
  async heard(): Promise<Position> {
    return (await this.#started()).tail.head;
  }

  damages(): readonly Damage[] {
    return this.#damages.all();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#appender.close();
    this.#pages.close();
    this.#subscribersPages.close();
    this.#running?.close();
    const { connection, more = [], besides = [] } = this.#options;
    await Promise.all([connection, ...more, ...besides].map((each) => each.close()));
  }

  /** The event store's pages until the end has been reached once; from then on the young ones from memory. */
  #reader(tail: Live['tail']) {
    let hasCaughtUp = false;
    return {
      readAll: async (options: ReadAll): Promise<readonly RecordedEvent[]> => {
        const young = hasCaughtUp ? tail.page(options.after ?? 0, options.limit) : undefined;
        if (young !== undefined || this.#closed) return young ?? [];
        const page = await this.#subscribersPages.readAll(options);
        hasCaughtUp ||= page.length < options.limit;
        return page;
      },
    };
  }

  #started(): Promise<Live> {
    this.#live ??= this.#start().catch((cause: unknown) => {
      this.#live = undefined;
      throw cause;
    });
    return this.#live;
  }

  async #start(): Promise<Live> {
    this.#refuseIfClosed();
    const { connection, onBroken, readLimitMs = 10_000 } = this.#options;
    const head = await this.#subscribersPages.head();
    this.#refuseIfClosed();
    this.#running = new Live(
      {
        ...{ connection, prefixes: this.#prefixes, damages: this.#damages, limitMs: readLimitMs },
        ...(onBroken === undefined ? {} : { onBroken }),
      },
      head,
    );
    return this.#running;
  }

  /** A repetition may be answered without the place of what it repeats. */
  async #placeOf(stream: StreamName, revision: Revision): Promise<Position> {
    const [event] = await this.#pages.readStream(stream, { from: revision, limit: 1 });
    if (event === undefined) throw damaged(`event ${revision} of ${stream} is not where it was`);
    return event.position;
  }

  /** What nobody would find again, and what cannot be known again. */
  #refuseStrange(stream: StreamName, events: readonly NewEvent[]): void {
    if (!this.#prefixes.some((prefix) => stream.startsWith(prefix))) {
      throw new TypeError(`${stream} is not the name of a stream of ours`);
    }
    if (events.length === 0) throw new TypeError(`${stream}: nothing to append`);
  }

  #refuseIfClosed(): void {
    if (this.#closed) throw unavailable('the log is closed');
  }
}
