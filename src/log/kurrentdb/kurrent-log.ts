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
  LogSignal,
  NewEvent,
  Position,
  ReadAll,
  ReadStream,
  RecordedEvent,
  Revision,
  SharedLog,
  StreamName,
  Write,
} from '../ports.ts';
import { Damages } from '../sqlite/damages.ts';
import { subscribeTo } from '../subscription.ts';
import { AppendLanes } from './append-lanes.ts';
import { Appender, appendTo, keepingYoungest, type Taken } from './appends.ts';
import type { Connection } from './connection.ts';
import { toStored, type Oddity } from './event-shape.ts';
import { Live } from './live.ts';
import { Pages } from './pages.ts';
import { limitMs, patienceMs as usual } from './patience.ts';
import { surely } from './surely.ts';
import { refusedTogether, sendTogether, togethernessOf, type Togetherness } from './together.ts';
import { damaged, toTrouble, unavailable } from './what-went-wrong.ts';

/** Beginnings of the names of Waybill's streams; others in the same event store are not ours. */
export const ourPrefixes = ['message-', 'node-', 'door-', 'lease-', 'fence-'] as const;

export type KurrentLogOptions = {
  readonly connection: Connection;
  /** More of them, for appends when there are many. */
  readonly more?: readonly Connection[];
  /** Others' that are closed with the log. */
  readonly besides?: readonly Connection[];
  /** Makes a small body durable, before the event that names it. */
  readonly carry?: (staged: StagedBody) => Promise<void>;
  readonly onDamage?: (damage: Damage) => void;
  /** What does not look like an event of ours is passed over, as damage is. */
  readonly oddity?: Oddity | undefined;
  /** An append was not written, or nobody knows, for the log's own sake. */
  readonly onTrouble?: (trouble: Trouble) => void;
  readonly onBroken?: (why: string) => void;
  readonly onFollowing?: () => void;
  readonly prefixes?: readonly string[];
  /** When so long nothing new was heard, the event store is asked whether there is nothing. */
  readonly quietMs?: number;
  /** No answer for so long: asked again. Defaults of all these: `patience.ts`, as the engine has them. */
  readonly appendLimitMs?: number;
  readonly readLimitMs?: number;
  /** The same for pages of the whole log; default: as readLimitMs. It grows where that is not enough. */
  readonly walkLimitMs?: number;
  /** After so long the caller hears `log-unavailable`. */
  readonly patienceMs?: number;
  /** Bytes of appends that may wait; more hear `busy`. Default 64 MiB. */
  readonly mostBytes?: number;
  /** As patienceMs, for subscribers, who by default wait for ever. */
  readonly subscriberPatienceMs?: number;
};

export class KurrentLog implements SharedLog {
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
    const { connection, appendLimitMs = limitMs.append, readLimitMs = limitMs.read } = options;
    const {
      more = [],
      patienceMs = usual.engine,
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
    const { walkLimitMs, oddity } = options;
    const limits = { limitMs: readLimitMs, walkLimitMs };
    const reading = { connection, prefixes, damages: this.#damages, oddity, ...limits };
    this.#pages = new Pages({ ...reading, patienceMs });
    this.#subscribersPages = new Pages({ ...reading, patienceMs: subscriberPatienceMs });
  }

  async append(
    stream: StreamName,
    expected: Revision,
    events: readonly NewEvent[],
    body?: StagedBody,
  ): Promise<Appended> {
    const { stored, bytes } = this.#toStored({ stream, expected, events }, body);
    const taken = this.#appender.append({
      ...{ ...appendTo(stream, expected, stored), bytes, first: this.#before(body) },
    });
    return this.#placed(stream, taken);
  }

  async appendTogether(
    writes: readonly Write[],
    unless?: StreamName,
    body?: StagedBody,
  ): Promise<Appended> {
    const parts = writes.map((write, index) =>
      this.#toStored(write, index === 0 ? body : undefined),
    );
    const all = writes.map((write, index) => ({ ...write, events: parts[index]!.stored }));
    const taken = this.#appender.append({
      stream: writes[0]!.stream,
      bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
      first: this.#before(body),
      send: (client) => sendTogether(client, all, unless),
      refused: (cause) => refusedTogether(cause, all, unless),
    });
    return this.#placed(writes.at(-1)!.stream, taken);
  }

  async canAppendTogether(): Promise<boolean> {
    return (await this.togetherness()) === 'all';
  }

  /** How much `appendTogether` may take. Rejects as reading does. */
  async togetherness(): Promise<Togetherness> {
    this.#refuseIfClosed();
    const { connection, readLimitMs = limitMs.read, patienceMs = usual.engine } = this.#options;
    const patience = { limitMs: readLimitMs, patienceMs, isOver: () => this.#closed };
    try {
      return await surely(connection, 'what the server can', patience, togethernessOf);
    } catch (cause) {
      throw toTrouble('asking what the event store can', cause);
    }
  }

  async keepYoungest(stream: StreamName, events: number): Promise<void> {
    const request = { ...keepingYoungest(stream, events), bytes: 0, first: undefined };
    try {
      await this.#appender.append(request);
    } catch (cause) {
      // Somebody has said something of that stream before, and will have had a reason.
      if (!isTrouble(cause, 'revision-conflict')) throw cause;
    }
  }

  #toStored({ stream, expected, events }: Write, body: StagedBody | undefined) {
    refuseStrayBody(stream, expected, events, body);
    this.#refuseStrange(stream, events);
    const texts = encode(events);
    const length = texts.reduce((sum, text) => sum + text.length, 0);
    const stored = toStored(stream, expected, events, texts);
    return { stored, bytes: (body?.inline?.byteLength ?? 0) + length };
  }

  #before(body: StagedBody | undefined): (() => Promise<void>) | undefined {
    const { carry } = this.#options;
    const carries = body?.inline !== undefined && carry !== undefined;
    return carries ? () => carry(body) : undefined;
  }

  async #placed(stream: StreamName, taken: Promise<Taken>): Promise<Appended> {
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

  /** The youngest events, in memory once a subscription here has begun. */
  get young(): Pick<Live['tail'], 'head' | 'page'> | undefined {
    return this.#running?.tail;
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
    const { connection, onBroken, onFollowing, readLimitMs = limitMs.read } = this.#options;
    const head = await this.#subscribersPages.head();
    this.#refuseIfClosed();
    this.#running = new Live(
      {
        ...{ connection, prefixes: this.#prefixes, damages: this.#damages, limitMs: readLimitMs },
        ...{ head: () => this.#pages.head(), quietMs: this.#options.quietMs },
        oddity: this.#options.oddity,
        ...(onBroken === undefined ? {} : { onBroken }),
        ...(onFollowing === undefined ? {} : { onFollowing }),
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
