/** The log for programs of other people: the types of `waybill.d.mts` over our own readers. Writes nothing but positions. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { defer, filter, from, map, type Observable } from 'rxjs';
import { openConsumer, type Consumer } from '../consumers/consumer.ts';
import { consumersFolder } from '../consumers/names.ts';
import { logStart, type Position, type RecordedEvent } from '../log/ports.ts';
import { logFile } from '../log/sqlite/log-file.ts';
import { openReader, type ReadOnlyLog } from '../log/sqlite/open-reader.ts';
import { openStreamFinder } from '../log/sqlite/find-streams.ts';
import { isTrouble, Trouble } from '../mail/trouble.ts';
import { openPast } from '../past/past-queue.ts';
import { historyFolder, type Place as OurPlace } from '../past/ports.ts';
import { findLetter } from '../trace/letter-name.ts';
import { pagesOf } from '../trace/pages.ts';
import { parseInstant } from '../trace/parse-instant.ts';
import { factsReader, rowJson } from '../trace/queue-lines.ts';
import { readLetter } from '../trace/read-letter.ts';
import { storyTeller } from '../trace/story.ts';
import type {
  OpenOptions,
  Place,
  Queue,
  ReadOptions,
  Story,
  Consumer as TheirConsumer,
  WaitingRecipient,
  WaybillEvent,
  WaybillLog,
} from './waybill.mjs';

const lookForLogMs = 200;

export async function openLog(data: string, options: OpenOptions = {}): Promise<WaybillLog> {
  const directory = resolve(data);
  const file = join(directory, logFile);
  const log = await openWhenThere(directory, file, options);
  const closing = new AbortController();
  const open = new Set<Consumer>();
  const past = openPast({ log, directory: join(directory, historyFolder) });
  const pollMs = options.pollMs ?? 100;
  const read = (after: Position, { live = true }: ReadOptions = {}) =>
    live ? pulled(log, after, pollMs, closing.signal) : flat(pagesOf(log, { after }));
  const events = (after: Position, { live = true }: ReadOptions = {}) =>
    live ? pushed(log, after) : defer(() => from(read(after, { live })));
  return {
    head: () => log.head(),
    events: (first = 1, wanted) => events(Math.max(logStart, first - 1), wanted),
    read: (first = 1, wanted) => read(Math.max(logStart, first - 1), wanted),
    story: (id) => readStory(log, file, id),
    queueAt: async (place, { limit = 1_000 } = {}) => answer(log, past, toPlace(place), limit),
    async positionAt(place) {
      const where = toPlace(place);
      return 'at' in where ? past.positionAt(where.at) : where.position;
    },
    async consumer(name) {
      const held = await openConsumer({ log, name, directory: join(directory, consumersFolder) });
      open.add(held);
      return toTheirs(name, held, { events, read, closed: () => open.delete(held) });
    },
    async close() {
      if (closing.signal.aborted) return;
      closing.abort();
      await Promise.all([...open].map((held) => held.close()));
      log.close();
    },
  };
}

type Reading = {
  readonly events: (after: Position, wanted?: ReadOptions) => Observable<WaybillEvent>;
  readonly read: (after: Position, wanted?: ReadOptions) => AsyncIterable<WaybillEvent>;
  readonly closed: () => void;
};

const toTheirs = (name: string, held: Consumer, reading: Reading): TheirConsumer => ({
  name,
  get position() {
    return held.position;
  },
  events: (wanted) => reading.events(held.position, wanted),
  read: (wanted) => reading.read(held.position, wanted),
  handled: (position) => held.handled(position),
  async close() {
    reading.closed();
    await held.close();
  },
});

async function openWhenThere(
  directory: string,
  file: string,
  options: OpenOptions,
): Promise<ReadOnlyLog> {
  for (;;) {
    try {
      if (existsSync(file)) return openReader(file, options);
      throw notThere(`there is no log in ${directory}, or this user may not look there`);
    } catch (cause) {
      const trouble = isLocked(file, cause)
        ? notThere(
            `${file} is at rest, and this user may not write beside it: it can be read while an engine runs`,
            cause,
          )
        : cause;
      if (options.wait !== true || !isTrouble(trouble) || !trouble.tryAgain) throw trouble;
      await sleep(lookForLogMs);
    }
  }
}

/** Who reads an SQLite file first makes an index beside it; others then only need to read that, too. */
const isLocked = (file: string, cause: unknown): boolean =>
  isTrouble(cause, 'log-unavailable') && existsSync(file) && !existsSync(`${file}-shm`);

const notThere = (detail: string, cause?: unknown): Trouble =>
  new Trouble('log-unavailable', { tryAgain: true, peer: 'no log', detail, cause });

const toEvent = ({
  position,
  stream,
  revision,
  type,
  v,
  at,
  data,
}: RecordedEvent): WaybillEvent => ({ position, stream, revision, type, v, at, data });

const pushed = (log: ReadOnlyLog, after: Position): Observable<WaybillEvent> =>
  log.subscribe(after).pipe(
    filter((signal) => signal.kind === 'event'),
    map(({ event }) => toEvent(event)),
  );

/** A page at a time, and the next one when that is used up. Ends when the log is closed. */
async function* pulled(
  log: ReadOnlyLog,
  after: Position,
  pollMs: number,
  signal: AbortSignal,
): AsyncGenerator<WaybillEvent> {
  let cursor = after;
  while (!signal.aborted) {
    // Asked before reading: what is committed meanwhile is then not missed.
    const version = log.version();
    for await (const event of flat(pagesOf(log, { after: cursor }))) {
      if (signal.aborted) return;
      cursor = event.position;
      yield event;
    }
    while (!signal.aborted && log.version() === version) {
      await sleep(pollMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

async function* flat(pages: AsyncIterable<readonly RecordedEvent[]>): AsyncGenerator<WaybillEvent> {
  for await (const page of pages) for (const event of page) yield toEvent(event);
}

async function readStory(log: ReadOnlyLog, file: string, id: string): Promise<Story> {
  const finder = openStreamFinder(file);
  try {
    const message = findLetter(id, (part, limit) => finder.letters(part, limit));
    const { events, lost } = await readLetter(log, message);
    return { message, events: events.map(toEvent), lines: events.map(storyTeller()), lost };
  } finally {
    finder.close();
  }
}

async function answer(
  log: ReadOnlyLog,
  past: ReturnType<typeof openPast>,
  place: OurPlace,
  limit: number,
): Promise<Queue> {
  const { position, now, rows, counts, owing } = await past.queueAt(place, limit);
  const factsOf = factsReader(log, position);
  const recipients: WaitingRecipient[] = [];
  for (const row of rows) recipients.push(rowJson(row, await factsOf(row.message)));
  return { position, at: now, counts, recipients, owing };
}

function toPlace(place: Place): OurPlace {
  if (place instanceof Date) return { at: place.getTime() };
  if (typeof place !== 'string') return place;
  const at = parseInstant(place, Date.now());
  if (at !== undefined) return { at };
  throw new RangeError('no time: try 2026-11-21T06:00, -2h, yesterday 06:00 (UTC)');
}
