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
import { fromStored, toPosition, toStoredPosition, type Oddity } from './event-shape.ts';
import { isPosition } from './is-position.ts';
import { limitMs as usual } from './patience.ts';
import { Places } from './places.ts';
import { surely, type Patience } from './surely.ts';
import { damaged, faultOf, toTrouble } from './what-went-wrong.ts';

export type PagesOptions = {
  readonly connection: Connection;
  /** Beginnings of the names of our streams. */
  readonly prefixes: readonly string[];
  readonly damages: Damages;
  readonly oddity?: Oddity | undefined;
  /** A page that takes longer is asked for again. */
  readonly limitMs: number;
  /** The same for a page of the whole log; default: as `limitMs`. It grows where that is not enough. */
  readonly walkLimitMs?: number | undefined;
  /** How long it is asked for again and again; then the reader hears `log-unavailable`. */
  readonly patienceMs: number;
};

/** In one call; a larger page is put together. */
const pageEvents = 1_000;
/** From a known position so near one reads on, rather than ask whether one may read from another. */
const nearBytes = 1024 * 1024;

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
    if (last === undefined) return logStart;
    const { position } = toPosition(last.position);
    this.#places.note(position);
    return position;
  }

  /** Asks no more: what is being tried again is given up. */
  close(): void {
    this.#closed = true;
  }

  #surely<T>(what: string, limits: Omit<Patience, 'patienceMs'>, work: Call<T>): Promise<T> {
    const { connection, patienceMs } = this.#options;
    const patience = { ...limits, patienceMs, isOver: () => this.#closed };
    return surely(connection, what, patience, work);
  }

  async #storedPage(
    stream: StreamName,
    options: { fromRevision: bigint | 'start' | 'end'; direction: ReadDirection; maxCount: number },
  ): Promise<readonly StoredEvent[]> {
    try {
      const { limitMs } = this.#options;
      return await this.#surely(`a read of ${stream}`, { limitMs }, (client) =>
        collect(client.readStream(stream, { ...options })),
      );
    } catch (cause) {
      if (faultOf(cause) === 'stream-not-found') return [];
      throw toTrouble(`reading ${stream}`, cause);
    }
  }

  #sound(stored: StoredEvent): RecordedEvent {
    const told = fromStored(stored, this.#options.oddity);
    if ('event' in told) return told.event;
    const { position, stream, what } = told.odd;
    this.#options.damages.report(told.odd);
    throw damaged(`event ${position} of ${stream}: ${what}`);
  }

  /** Those that are events of ours; the others are named once and passed over. */
  #sift(page: readonly StoredEvent[]): RecordedEvent[] {
    return page.flatMap((stored) => {
      const told = fromStored(stored, this.#options.oddity);
      if ('event' in told) return [told.event];
      this.#options.damages.report(told.odd);
      return [];
    });
  }

  /**
   * Events after a position that may be any. The event store knows only positions of its own: at another one
   * it refuses, or else takes for an event what somebody has written into a letter.
   */
  async #forwards(after: Position, wanted: number): Promise<Page> {
    for (const start of this.#guesses(after)) {
      const page = await this.#pageFrom(start, after, wanted);
      if (page !== undefined) return page;
    }
    return this.#walk(this.#places.before(after), after, wanted);
  }

  /** Where to ask: there, or at the number after it, where an event may stand. */
  #guesses(after: Position): readonly Position[] {
    if (after === logStart || this.#places.has(after)) return [after];
    if (this.#places.has(after + 1)) return [after + 1];
    return after - this.#places.before(after) <= nearBytes ? [] : [after, after + 1];
  }

  /** `undefined`: that is no way to find them. */
  async #pageFrom(start: Position, after: Position, wanted: number): Promise<Page | undefined> {
    const { prefixes } = this.#options;
    const isStart = start === logStart;
    const isKnown = isStart || this.#places.has(start);
    if (!(isKnown || (await this.#ofLog('a position', isPosition(start, prefixes))))) {
      return undefined;
    }
    // The first of them is the one that stands there, unless it is not ours.
    const count = wanted + (isStart ? 0 : 1);
    const fromPosition = isStart ? 'start' : toStoredPosition(start);
    const page = await this.#page('a page', { direction: 'forwards', fromPosition }, count);
    if (!(isKnown || (await this.#isGenuine(page[0], start)))) return undefined;
    const isLast = page.length < count;
    const events = this.#sift(page).filter(({ position }) => position > after);
    return events.length === 0 && !isLast ? undefined : this.#handOut(events, wanted, isLast);
  }

  /** Whether the first event read from a position that nobody gave us stands in its stream, too, in the same place. */
  async #isGenuine(first: StoredEvent | undefined, start: Position): Promise<boolean> {
    if (first === undefined) return true;
    const { position } = toPosition(first.position);
    if (position === start) return true;
    const { streamId, revision, id } = first;
    const from = { fromRevision: revision, direction: 'forwards', maxCount: 1 } as const;
    const [there] = await this.#storedPage(streamId, from);
    return there?.id === id && toPosition(there.position).position === position;
  }

  /** From a known place before `after`, until it has been passed. */
  async #walk(from: Position, after: Position, wanted: number): Promise<Page> {
    for (let cursor = from; ;) {
      const fromPosition = cursor === logStart ? 'start' : toStoredPosition(cursor);
      const page = await this.#page('a walk', { direction: 'forwards', fromPosition }, pageEvents);
      const events = this.#sift(page).filter(({ position }) => position > after);
      const isEnd = page.length < pageEvents;
      if (events.length > 0 || isEnd) {
        return this.#handOut(events, wanted, isEnd && events.length <= wanted);
      }
      cursor = toPosition(page.at(-1)!.position).position;
      this.#places.note(cursor);
    }
  }

  async #backwards(before: Position | undefined, wanted: number): Promise<Page> {
    if (before !== undefined && before <= logStart) return { events: [], isLast: true };
    const from =
      before === undefined || this.#places.has(before) ? before : await this.#firstFrom(before);
    for (let cursor = from; ;) {
      const fromPosition = cursor === undefined ? 'end' : toStoredPosition(cursor);
      // One more: whether the event that stands there comes first is not the same in all versions.
      const count = wanted + 1;
      const page = await this.#page('a page', { direction: 'backwards', fromPosition }, count);
      const events = this.#sift(page).filter(({ position }) => position < (before ?? Infinity));
      const isEnd = page.length < count;
      if (events.length > 0 || isEnd) {
        return this.#handOut(events, wanted, isEnd && events.length <= wanted);
      }
      cursor = toPosition(page.at(-1)!.position).position;
    }
  }

  /** Position of the first event at or after this one, from which one may read; `undefined`: there is none. */
  async #firstFrom(position: Position): Promise<Position | undefined> {
    const { events } = await this.#forwards(position - 1, 1);
    return events[0]?.position;
  }

  /** The reader will go on from the last of them. */
  #handOut(events: readonly RecordedEvent[], wanted: number, isLast: boolean): Page {
    const handedOut = events.slice(0, wanted);
    for (const event of [handedOut[0], handedOut.at(-1)]) {
      if (event !== undefined) this.#places.note(event.position);
    }
    return { events: handedOut, isLast };
  }

  #page(
    what: string,
    from: { direction: ReadDirection; fromPosition: FromPosition },
    maxCount: number,
  ): Promise<readonly StoredEvent[]> {
    const filter = { filterOn: 'streamName', prefixes: [...this.#options.prefixes] } as never;
    return this.#ofLog(what, (client) => collect(client.readAll({ ...from, maxCount, filter })));
  }

  async #ofLog<T>(what: string, work: Call<T>): Promise<T> {
    const { limitMs, walkLimitMs = limitMs } = this.#options;
    const { longestWalk } = usual;
    const limits = { limitMs: walkLimitMs, mostLimitMs: Math.max(longestWalk, walkLimitMs) };
    try {
      return await this.#surely(what, limits, work);
    } catch (cause) {
      throw toTrouble('reading the log', cause);
    }
  }
}

type ReadDirection = 'forwards' | 'backwards';
type FromPosition = 'start' | 'end' | { commit: bigint; prepare: bigint };

/** To its end: a read that is left half-way is not cancelled. */
export async function collect(read: AsyncIterable<ResolvedEvent>): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for await (const { event } of read) if (event !== undefined) events.push(event);
  return events;
}
