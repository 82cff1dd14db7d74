/**
 * Keeps the agenda's history: follows the log and leaves a mark every so many events, so that any instant
 * is one mark and a short replay away. Marks take no more than 100 bytes per event of the log.
 */
import {
  EMPTY,
  concat,
  concatMap,
  defer,
  filter,
  finalize,
  ignoreElements,
  interval,
  of,
  repeat,
  share,
  startWith,
  switchMap,
  take,
  takeUntil,
  tap,
  type Observable,
} from 'rxjs';
import { letterBytes, rowBytes } from '../../projections/agenda-columns.ts';
import { fold } from '../../projections/agenda.ts';
import { mayBeGone } from '../log/known-event.ts';
import { logStart, type LogSignal, type Position, type RecordedEvent } from '../log/ports.ts';
import type { MessageId } from '../mail/envelope.ts';
import { errnoOf, errorWords } from '../platform/errno.ts';
import { ReplaceTrouble } from '../platform/replace-file.ts';
import { messageOf } from '../queue/events.ts';
import { pagesOf } from '../trace/pages.ts';
import { encodeMark, type EncodedMark, type MarkPlace } from './mark.ts';
import { listMarks, removeMark, sizeOfMarks, writeMark } from './marks.ts';
import type { HistoryOptions, HistoryState } from './ports.ts';
import { restoreMark, type Chain, type Restored } from './restore.ts';

/** A letter's name in JSON. */
const nameBytes = 39;
/** Files to be read for one answer, at most. */
const longestChain = 64;
/** Changes are collected up to here, however small the whole is. */
const smallBytes = 256 * 1024;

/**
 * Follows while subscribed; errors when the log fails, or the fold does. A full disk is told, and tried again.
 * A long queue is let go of while nothing happens: it takes a hundred megabytes, and the last mark has it.
 */
export function keepHistory(options: HistoryOptions): Observable<HistoryState> {
  let reached = logStart;
  const whileBusy = defer(() => openHistory(options)).pipe(
    concatMap((history) => concat(catchUp(options, history), goOn(options, history))),
    tap(({ position }) => (reached = position)),
  );
  const untilNews = defer(() => options.log.subscribe(reached)).pipe(
    filter(isNews),
    take(1),
    ignoreElements(),
  );
  return concat(whileBusy, untilNews).pipe(repeat());
}

/** What is there already, with a rest after each page: it may be years. */
async function* catchUp(
  { log, rest }: HistoryOptions,
  history: History,
): AsyncGenerator<HistoryState> {
  const head = await log.head();
  const walk = { after: history.position, upTo: head, ...(rest === undefined ? {} : { rest }) };
  for await (const page of pagesOf(log, walk)) {
    for (const event of page) history.take(event);
    yield { ...history.state, head, rebuilding: history.position < head };
  }
  yield { ...history.state, head, rebuilding: false };
}

function goOn(options: HistoryOptions, history: History): Observable<HistoryState> {
  const { log, live, idleMs = 30_000 } = options;
  const tell = (heard: Position): void => {
    const { agenda, position } = history;
    live?.tell({ agenda, position, heard });
  };
  const signals$ = defer(() => log.subscribe(history.position)).pipe(share());
  // Ends for a queue worth forgetting; any other is kept at hand.
  const isIdle$ = signals$.pipe(
    filter(isNews),
    startWith(undefined),
    switchMap(() => interval(idleMs)),
    filter(() => history.isWorthForgetting),
  );
  return signals$.pipe(
    takeUntil(isIdle$),
    finalize(() => live?.tell(undefined)),
    concatMap((signal) => {
      if (signal.kind === 'caught-up') tell(signal.position);
      if (signal.kind !== 'event') return EMPTY;
      history.take(signal.event);
      tell(signal.event.position);
      return of({ ...history.state, head: history.position, rebuilding: false });
    }),
  );
}

/** That nodes are alive is none: they say so for ever. */
const isNews = (signal: LogSignal): boolean =>
  signal.kind === 'event' && !mayBeGone(signal.event.stream);

/** From the last sound mark. Marks behind it would be in the way of new ones. */
async function openHistory(options: HistoryOptions): Promise<History> {
  const { directory, onTrouble } = options;
  const marks = listMarks(directory, onTrouble);
  const restored = await restoreMark(options, marks);
  for (const mark of marks) {
    if (mark.position <= restored.place.position) continue;
    onTrouble?.(`the mark ${mark.name} is removed; it will be made again`);
    removeMark(directory, mark);
  }
  return new History(options, restored, sizeOfMarks(directory, listMarks(directory)));
}

class History {
  readonly #options: HistoryOptions;
  readonly #every: number;
  readonly #agenda: Restored['agenda'];
  #place: MarkPlace;
  #chain: Chain | undefined;
  /** Letters that are not as the last mark has them, and whether it has them; absent: who knows. */
  #touched: Map<MessageId, boolean> | undefined;
  #events = 0;
  #nextTry: number;
  /** All that the marks take. */
  #bytes: number;

  constructor(options: HistoryOptions, { agenda, place, chain }: Restored, bytes: number) {
    const { every = 25_000 } = options;
    this.#options = options;
    this.#every = this.#nextTry = every;
    this.#agenda = agenda;
    this.#place = place;
    this.#chain = chain;
    this.#touched = chain === undefined ? undefined : new Map();
    this.#bytes = bytes;
  }

  get position(): number {
    return this.#place.position;
  }

  get agenda(): Restored['agenda'] {
    return this.#agenda;
  }

  /** A long queue, with a mark so near that it is soon had again. */
  get isWorthForgetting(): boolean {
    const { forgetBytes = 16 * 1024 * 1024 } = this.#options;
    return this.#wholeBytes() >= forgetBytes && this.#events <= 2 * this.#every;
  }

  get state(): Pick<HistoryState, 'position' | 'marked' | 'events'> {
    const { position, events } = this.#place;
    return { position, events, marked: this.#chain?.last.position ?? logStart };
  }

  take(event: RecordedEvent): void {
    this.#fold(event);
    if (this.#events < this.#nextTry || mayBeGone(event.stream)) return;
    // Not at every event from here on: neither estimates nor a full disk are to cost much.
    this.#nextTry = this.#events + Math.ceil(this.#every / 5);
    this.#mark();
  }

  #fold(event: RecordedEvent): void {
    const { position, stream, revision, at } = event;
    const message = messageOf(stream);
    const { rows } = this.#agenda;
    const before = message !== undefined && rows.has(message);
    fold(this.#agenda, event);
    if (message === undefined) {
      if (event.type === 'RetryAllRequested') this.#touched = undefined;
    } else this.#note(message, before, rows.has(message));
    const latest = Math.max(this.#place.latest, at);
    const events = this.#place.events + 1;
    // What may leave the log is no place for a mark.
    const place = mayBeGone(stream) ? this.#place : { position, stream, revision, at };
    this.#place = { ...place, latest, events };
    this.#events += 1;
  }

  #note(message: MessageId, before: boolean, after: boolean): void {
    const touched = this.#touched;
    if (touched === undefined || !(before || after)) return;
    const wasMarked = touched.get(message);
    if (wasMarked === undefined) touched.set(message, before);
    // Come and gone between two marks: most letters leave no trace in them.
    if (!after && touched.get(message) === false) touched.delete(message);
  }

  #mark(): void {
    const { directory, onTrouble, bytesPerEvent = 100 } = this.#options;
    const whole = this.#wholeBytes();
    const change = this.#changeBytes();
    const isWhole = this.#isWholeDue(whole, change);
    if (this.#bytes + (isWhole ? whole : change) > bytesPerEvent * this.#place.events) return;
    try {
      const touched = this.#touched?.keys() ?? [];
      const changes = isWhole ? undefined : { base: this.#chain!.last, touched };
      const mark = encodeMark(this.#agenda, this.#place, changes);
      writeMark(directory, this.#place, mark, isWhole ? 'whole' : 'change');
      this.#written(mark, isWhole);
    } catch (cause) {
      onTrouble?.(`no mark at event ${this.position}: ${whyNot(cause)}`);
    }
  }

  /** After as many bytes of changes as a whole one takes, or as many files as one wants to read. */
  #isWholeDue(whole: number, change: number): boolean {
    const chain = this.#chain;
    if (chain === undefined || this.#touched === undefined) return true;
    return chain.length >= longestChain || chain.changeBytes + change > Math.max(whole, smallBytes);
  }

  #written({ sum, bytes }: EncodedMark, isWhole: boolean): void {
    const before = isWhole ? undefined : this.#chain;
    this.#chain = {
      last: { position: this.position, sum },
      length: (before?.length ?? 0) + 1,
      wholeBytes: before?.wholeBytes ?? bytes,
      changeBytes: before === undefined ? 0 : before.changeBytes + bytes,
    };
    this.#bytes += bytes;
    this.#touched = new Map();
    this.#events = 0;
    this.#nextTry = this.#every;
  }

  #wholeBytes(): number {
    const { rows, owing } = this.#agenda;
    return rows.letters * letterBytes + rows.recipients * rowBytes + owing.size * nameBytes;
  }

  #changeBytes(): number {
    const { rows, owing } = this.#agenda;
    const touched = [...(this.#touched?.keys() ?? [])];
    const there = touched.flatMap((id) => rows.letterNo(id) ?? []);
    const names = touched.length - there.length + owing.size;
    return there.length * letterBytes + rows.rowsIn(there) * rowBytes + names * nameBytes;
  }
}

function whyNot(cause: unknown): string {
  if (cause instanceof ReplaceTrouble) return `${cause.message} it: ${errorWords(cause.cause)}`;
  return errnoOf(cause) === undefined ? String(cause) : errorWords(cause);
}
