/**
 * Reads from the event store: bounded pages, each under its own timer and asked for again as long as there is
 * patience. Only streams of ours are seen; the event store may keep others' besides.
 */
import type { RecordedEvent as StoredEvent, ResolvedEvent } from '@kurrent/kurrentdb-client';
import type { Damages } from '../sqlite/damages.ts';
import {
  logStart,
  type Position,
  type ReadAll,
  type ReadStream,
  type RecordedEvent,
  type StreamName,
} from '../ports.ts';
import type { Call, Connection } from './connection.ts';
import { fromStored, toPosition } from './event-shape.ts';
import { Places } from './places.ts';
import { surely } from './surely.ts';
import { damaged, faultOf, toTrouble } from './what-went-wrong.ts';

export type PagesOptions = {
  readonly connection: Connection;
  /** Beginnings of the names of our streams. */
  readonly prefixes: readonly string[];
  readonly damages: Damages;
  /** A page that takes longer is asked for again. */
  readonly limitMs: number;
  /** How long it is asked for again and again; then the reader hears `log-unavailable`. */
  readonly patienceMs: number;
};

/** In one call; a larger page is put together. */
const pageEvents = 1_000;

type Page = { readonly events: readonly RecordedEvent[]; readonly isLast: boolean };

export class Pages {
  readonly #options: PagesOptions;
  readonly #places = new Places();
  #closed = false;

  constructor(options: PagesOptions) {
    this.#options = options;
  }

  /** Throws `log-damaged` when one of those asked for is no event of ours. */
  async readStream(
    stream: StreamName,
    { from, direction = 'forwards', limit = Infinity }: ReadStream,
  ): Promise<RecordedEvent[]> {
    const events: RecordedEvent[] = [];
    let fromRevision = from === undefined ? undefined : BigInt(from);
    while (events.length < limit) {
      const maxCount = Math.min(pageEvents, limit - events.length);
      const options = { direction, maxCount, ...(fromRevision !== undefined && { fromRevision }) };
      const start = direction === 'forwards' ? 'start' : 'end';
      const page = await this.#storedPage(stream, { fromRevision: start, ...options });
      for (const event of page) events.push(this.#sound(event));
      if (page.length < maxCount) break;
      fromRevision = page.at(-1)!.revision + (direction === 'forwards' ? 1n : -1n);
      if (fromRevision < 0n) break;
    }
    return events;
  }

  async readAll({ after, direction = 'forwards', limit }: ReadAll): Promise<RecordedEvent[]> {
    const events: RecordedEvent[] = [];
    let cursor = after;
    while (events.length < limit) {
      const wanted = Math.min(pageEvents, limit - events.length);
      const page =
        direction === 'forwards'
          ? await this.#forwards(cursor ?? logStart, wanted)
          : await this.#backwards(cursor, wanted);
      events.push(...page.events);
      if (page.isLast) break;
      cursor = page.events.at(-1)!.position;
    }
    return events;
  }

  async head(): Promise<Position> {
    const [last] = await this.#page('head', { direction: 'backwards', fromPosition: 'end' }, 1);
    return last === undefined ? logStart : toPosition(last.position).position;
  }

  /** Asks no more: what is being tried again is given up. */
  close(): void {
    this.#closed = true;
  }

  #surely<T>(what: string, work: Call<T>): Promise<T> {
    const { connection, limitMs, patienceMs } = this.#options;
    return surely(connection, what, { limitMs, patienceMs, isOver: () => this.#closed }, work);
  }

  async #storedPage(
    stream: StreamName,
    options: { fromRevision: bigint | 'start' | 'end'; direction: ReadDirection; maxCount: number },
  ): Promise<readonly StoredEvent[]> {
    try {
      return await this.#surely(`a read of ${stream}`, (client) =>
        collect(client.readStream(stream, { ...options, ...this.#options.connection.login })),
      );
    } catch (cause) {
      if (faultOf(cause) === 'stream-not-found') return [];
      throw toTrouble(`reading ${stream}`, cause);
    }
  }

  #sound(stored: StoredEvent): RecordedEvent {
    const told = fromStored(stored);
    if ('event' in told) return told.event;
    const { position, stream, what } = told.odd;
    this.#options.damages.report(told.odd);
    throw damaged(`event ${position} of ${stream}: ${what}`);
  }

  /** Those that are events of ours; the others are named once and passed over. */
  #sift(page: readonly StoredEvent[]): RecordedEvent[] {
    return page.flatMap((stored) => {
      const told = fromStored(stored);
      if ('event' in told) return [told.event];
      this.#options.damages.report(told.odd);
      return [];
    });
  }

  /**
   * Events after a position that may be any: the event store takes only its own, and the next one to be
   * asked for is the number after it (an event that stands exactly there), then the nearest one known.
   */
  async #forwards(after: Position, wanted: number): Promise<Page> {
    for (const start of [after, after + 1]) {
      const isExact = start === logStart;
      const fromPosition = isExact ? 'start' : toStoredPosition(start);
      // The first of them is the one that stands there, unless it is not ours.
      const count = wanted + (isExact ? 0 : 1);
      const page = await this.#unlessInvalid(
        this.#page('a page', { direction: 'forwards', fromPosition }, count),
      );
      if (page === undefined) continue;
      const isLast = page.length < count;
      const events = this.#sift(page).filter(({ position }) => position > after);
      if (events.length === 0 && !isLast) break;
      return { events: events.slice(0, wanted), isLast };
    }
    return this.#walk(this.#places.before(after), after, wanted);
  }

  /** From a known place before `after`, until it has been passed. */
  async #walk(from: Position, after: Position, wanted: number): Promise<Page> {
    for (let cursor = from; ;) {
      const fromPosition = cursor === logStart ? 'start' : toStoredPosition(cursor);
      const page = await this.#page('a walk', { direction: 'forwards', fromPosition }, pageEvents);
      const events = this.#sift(page).filter(({ position }) => position > after);
      const isEnd = page.length < pageEvents;
      const isLast = isEnd && events.length <= wanted;
      if (events.length > 0 || isEnd) return { events: events.slice(0, wanted), isLast };
      cursor = toPosition(page.at(-1)!.position).position;
    }
  }

  async #backwards(before: Position | undefined, wanted: number): Promise<Page> {
    if (before !== undefined && before <= logStart) return { events: [], isLast: true };
    const fromPosition = before === undefined ? 'end' : toStoredPosition(before);
    const direct = await this.#unlessInvalid(
      // One more: whether the event that stands there comes first is not the same in all versions.
      this.#page('a page', { direction: 'backwards', fromPosition }, wanted + 1),
    );
    if (direct !== undefined) return this.#younger(direct, before, wanted, wanted + 1);
    for (let from: Position | undefined = this.#places.after(before!); ;) {
      const page = await this.#page(
        'a walk',
        {
          direction: 'backwards',
          fromPosition: from === undefined ? 'end' : toStoredPosition(from),
        },
        pageEvents,
      );
      const found = this.#younger(page, before, wanted, pageEvents);
      if (found.events.length > 0 || page.length < pageEvents) return found;
      from = toPosition(page.at(-1)!.position).position;
    }
  }

  #younger(
    page: readonly StoredEvent[],
    before: Position | undefined,
    wanted: number,
    asked: number,
  ): Page {
    const events = this.#sift(page).filter(({ position }) => position < (before ?? Infinity));
    return {
      events: events.slice(0, wanted),
      isLast: page.length < asked && events.length <= wanted,
    };
  }

  async #unlessInvalid(page: Promise<readonly StoredEvent[]>) {
    try {
      return await page;
    } catch (cause) {
      if (faultOf((cause as Error).cause ?? cause) === 'invalid-position') return undefined;
      throw cause;
    }
  }

  async #page(
    what: string,
    from: { direction: ReadDirection; fromPosition: FromPosition },
    maxCount: number,
  ): Promise<readonly StoredEvent[]> {
    const filter = { filterOn: 'streamName', prefixes: [...this.#options.prefixes] } as never;
    try {
      const page = await this.#surely(what, (client) =>
        collect(client.readAll({ ...from, ...this.#options.connection.login, maxCount, filter })),
      );
      for (const event of [page[0], page.at(-1)]) {
        if (event !== undefined) this.#places.note(toPosition(event.position).position);
      }
      return page;
    } catch (cause) {
      throw toTrouble('reading the log', cause);
    }
  }
}

type ReadDirection = 'forwards' | 'backwards';
type FromPosition = 'start' | 'end' | { commit: bigint; prepare: bigint };

export const toStoredPosition = (position: Position): { commit: bigint; prepare: bigint } => ({
  commit: BigInt(position),
  prepare: BigInt(position),
});

/** To its end: a read that is left half-way is not cancelled. */
export async function collect(read: AsyncIterable<ResolvedEvent>): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for await (const { event } of read) if (event !== undefined) events.push(event);
  return events;
}
