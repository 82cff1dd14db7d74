/** Asks questions of the past: one pass over the log for all of them, in pages, in bounded memory. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type {
  EventText,
  LogReader,
  Position,
  ReadAll,
  RecordedEvent,
  StreamName,
} from '../log/ports.ts';
import type { Instant } from '../platform/clock.ts';
import type { Happening } from './ports.ts';
import { hear, isFor, park, type Run } from './run.ts';
import { runWithin } from './time-limit.ts';

/** A log as one reads it; `readTexts` (the embedded log has it) spares parsing what nobody hears. */
export type Source = Pick<LogReader, 'readAll' | 'readStream' | 'head'> & {
  readTexts?(options: ReadAll): readonly EventText[] | Promise<readonly EventText[]>;
};

/** Up to and including a position, or before the first event later than an instant. */
export type Place = { readonly position: Position } | { readonly at: Instant };

export type Walk = {
  /** Default: from the first event. */
  readonly after?: Position;
  /** Default: the head at the start. */
  readonly upTo?: Place | undefined;
  readonly onProgress?: (position: Position, upTo: Position) => void;
  /** Between two pages; when it says `stop`, the walk ends there. */
  readonly rest?: () => Promise<'stop' | void>;
  /** Told after each event that somebody heard. */
  readonly onHeard?: (event: Happening) => void;
  /** How long the folding of a page may take; who has the turn then is parked. Default: for ever. */
  readonly limitMs?: number;
};

export type Walked = {
  readonly position: Position;
  readonly at: Instant;
  /** By SIGINT, in the middle of a page: the views are no answer. */
  readonly interrupted?: true;
};

const pageEvents = 2_000;

/** Gives the last event's place; `after` and instant 0 when there was none. */
export async function walk(source: Source, runs: readonly Run[], how: Walk = {}): Promise<Walked> {
  const { upTo, onProgress, rest } = how;
  const head = await source.head();
  const end = upTo !== undefined && 'position' in upTo ? Math.min(upTo.position, head) : head;
  const latest = upTo !== undefined && 'at' in upTo ? upTo.at : Infinity;
  let walked: Walked = { position: how.after ?? 0, at: 0 };
  const streams = streamsOf(runs);
  if (streams !== undefined && how.after === undefined) {
    await foldStreams(source, runs, streams, { ...how, end, latest });
    return { ...walked, position: end };
  }
  while (walked.position < end) {
    const page = await readPage(source, { after: walked.position, limit: pageEvents });
    const over = page.findIndex(({ at, position }) => at > latest || position > end);
    const wanted = over === -1 ? page : page.slice(0, over);
    if (foldEvents(runs, wanted, how) === 'interrupted') return { ...walked, interrupted: true };
    const last = wanted.at(-1);
    if (last !== undefined) walked = { position: last.position, at: last.at };
    onProgress?.(walked.position, end);
    const isOver = over !== -1 || page.length < pageEvents || runs.every(isParked);
    if (isOver) break;
    // Pages are read and folded without a pause: others in this process have their turn in between.
    await nextTurn();
    if ((await rest?.()) === 'stop') break;
  }
  return walked;
}

/** All the streams there are to read, when every question names its own. */
const streamsOf = (runs: readonly Run[]): ReadonlySet<StreamName> | undefined => {
  const streams = runs.flatMap(({ stream }) => (stream === undefined ? [] : [stream]));
  return streams.length === runs.length ? new Set(streams) : undefined;
};

async function foldStreams(
  source: Source,
  runs: readonly Run[],
  streams: ReadonlySet<StreamName>,
  { end, latest, ...how }: Walk & { readonly end: Position; readonly latest: Instant },
): Promise<void> {
  for (const stream of streams) {
    const events = await source.readStream(stream);
    const over = events.findIndex(({ at, position }) => at > latest || position > end);
    foldEvents(runs, over === -1 ? events : events.slice(0, over), how);
  }
}

const isParked = ({ parked }: Run): boolean => parked !== undefined;

const readPage = async (
  source: Source,
  options: ReadAll,
): Promise<readonly (EventText | RecordedEvent)[]> =>
  source.readTexts?.(options) ?? source.readAll(options);

/** Some events to everybody. Who takes too long is parked, and it goes on without. */
export function foldEvents(
  runs: readonly Run[],
  events: readonly (EventText | RecordedEvent)[],
  how: Pick<Walk, 'onHeard' | 'limitMs'>,
): 'done' | 'interrupted' {
  const ended = foldAll(runs, events, how);
  const { position } = events.at(-1) ?? {};
  if (position !== undefined) {
    for (const run of runs) if (run.parked === undefined) run.position = position;
  }
  return ended;
}

function foldAll(
  runs: readonly Run[],
  events: readonly (EventText | RecordedEvent)[],
  { onHeard, limitMs }: Pick<Walk, 'onHeard' | 'limitMs'>,
): 'done' | 'interrupted' {
  let next = 0;
  const turn: Turn = { no: 0, happening: undefined };
  const fold = () => {
    for (; next < events.length; next += 1) tellAll(runs, events[next]!, turn, onHeard);
  };
  if (limitMs === undefined) {
    fold();
    return 'done';
  }
  for (;;) {
    const ended = runWithin(limitMs, fold);
    if (ended !== 'late') return ended;
    const run = runs[turn.no];
    // Nobody's turn: whoever listens took too long, or the machine slept.
    if (run === undefined) continue;
    park(run, tookTooLong(limitMs), turn.happening);
    turn.no += 1;
  }
}

function tookTooLong(limitMs: number): Error {
  const late = new Error(`it took longer than ${limitMs / 1000} s`);
  // Its stack would tell of our code.
  late.stack = '';
  return late;
}

/** Whose turn it is with an event: kept outside, since the folding may be ended anywhere. */
type Turn = { no: number; happening: Happening | undefined };

function tellAll(
  runs: readonly Run[],
  event: EventText | RecordedEvent,
  turn: Turn,
  onHeard: ((event: Happening) => void) | undefined,
): void {
  for (; turn.no < runs.length; turn.no += 1) {
    const run = runs[turn.no]!;
    if (!isFor(run, event)) continue;
    turn.happening ??= toHappening(event);
    hear(run, turn.happening);
  }
  if (turn.happening !== undefined) onHeard?.(turn.happening);
  turn.no = 0;
  turn.happening = undefined;
}

/** What is read is what was written: types we do not know fall through every `switch`. */
function toHappening(event: EventText | RecordedEvent): Happening {
  if (!('json' in event)) return event as Happening;
  const { position, stream, revision, type, v, at, json } = event;
  const data: unknown = JSON.parse(json);
  return { position, stream, revision, type, v, at, data } as Happening;
}
