/**
 * The log as it grows, for browsers and programs that stay: Server-Sent Events. Nobody who is slow costs
 * memory: each reader is handed the next page only when it has taken the last one. Watching begins with
 * the first reader and ends with the last.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from 'hono';
import { streamSSE, type SSEStreamingApi } from 'hono/streaming';
import type { LogReader, Position, RecordedEvent } from '../log/ports.ts';
import { Trouble } from '../mail/trouble.ts';
import { wordsOf, type Logger } from '../platform/logger.ts';
import type { DeskParts } from './ports.ts';
import { formatEvent } from '../trace/json.ts';

/** How often the log is asked for its head while anybody watches. */
const pollMs = 250;

/** Proxies and browsers give up on what says nothing. */
const heartbeatMs = 15_000;

/** Each keeps a connection: more of them are told to come again. */
const mostStreams = 64;

const pageEvents = 200;

/** Between two ticks. */
const tickMs = 1_000;

export type Wanted = {
  readonly from: Position;
  readonly isWanted?: (event: RecordedEvent) => boolean;
  /** One line; default: the event as JSON. */
  readonly format?: (event: RecordedEvent) => string;
};

export type Live = {
  /** Every event after `from` that is wanted; `Last-Event-ID` wins over `from`. */
  events(context: Context, wanted: Wanted): Promise<Response>;
  /** One `tick` when the log has grown, at most once a second. */
  ticks(context: Context): Promise<Response>;
  readonly streams: number;
  close(): void;
};

/** `outage`: why nothing new is heard; that it began or ended is news, too. */
export function openLive(
  log: LiveLog,
  logger: Logger,
  outage: DeskParts['outage'] = () => undefined,
): Live {
  const watch = watchHead(log);
  const streams = openStreams(watch, logger);
  return {
    get streams() {
      return streams.count;
    },
    events: async (context, wanted) => {
      const from = (await lastSeen(context, log)) ?? wanted.from;
      return streams.open(context, (reader) =>
        tellEvents({ ...reader, log, watch }, { ...wanted, from }),
      );
    },
    ticks: async (context) =>
      streams.open(context, (reader) => tellTicks({ ...reader, log, watch }, outage)),
    close() {
      streams.close();
      watch.close();
    },
  };
}

type LiveLog = Pick<LogReader, 'readAll' | 'head'>;

/** Somebody who stays. */
type Reader = {
  readonly out: SSEStreamingApi;
  /** Whether it is still there. */
  readonly goesOn: () => boolean;
};

type Telling = Reader & { readonly log: LiveLog; readonly watch: ReturnType<typeof watchHead> };

async function tellEvents({ out, goesOn, log, watch }: Telling, wanted: Wanted): Promise<void> {
  const { from, isWanted = () => true, format = formatEvent } = wanted;
  let position = from;
  await out.write(comeBackSoon);
  while (goesOn()) {
    const head = await log.head();
    const page = head > position ? await log.readAll({ after: position, limit: pageEvents }) : [];
    for (const event of page) {
      if (!goesOn()) return;
      position = event.position;
      if (isWanted(event)) await out.writeSSE({ data: format(event), id: String(position) });
    }
    if (page.length < pageEvents) await watch.moved(position);
  }
}

async function tellTicks(
  { out, goesOn, log, watch }: Telling,
  outage: NonNullable<DeskParts['outage']>,
): Promise<void> {
  await out.write(comeBackSoon);
  let head = await log.head().catch(() => 0);
  let told = '';
  while (goesOn()) {
    const news = `${head} ${outage()?.since ?? ''}`;
    if (news !== told) {
      await out.writeSSE({ event: 'tick', data: String(head) });
      told = news;
      await sleep(tickMs);
    }
    head = await watch.moved(head);
  }
}

/** For browsers: when to dial again. */
const comeBackSoon = 'retry: 2000\n\n';

/** Who is connected; the head is watched while anybody is. */
function openStreams(watch: ReturnType<typeof watchHead>, logger: Logger) {
  const open = new Set<SSEStreamingApi>();
  const serve = async (out: SSEStreamingApi, tell: (reader: Reader) => Promise<void>) => {
    open.add(out);
    const leave = watch.enter();
    const beat = setInterval(() => void out.write(': still here\n\n').catch(nothing), heartbeatMs);
    try {
      await tell({ out, goesOn: () => !out.aborted && !out.closed });
    } catch (cause) {
      // A reader that went away in the middle of a word is no trouble.
      if (!out.aborted) logger.warn({ cause: wordsOf(cause) }, 'a live stream ended');
    } finally {
      clearInterval(beat);
      leave();
      open.delete(out);
    }
  };
  return {
    get count() {
      return open.size;
    },
    open: (context: Context, tell: (reader: Reader) => Promise<void>): Response =>
      open.size >= mostStreams
        ? context.json({ error: 'too many streams are open' }, 503, { 'Retry-After': '10' })
        : streamSSE(context, (out) => serve(out, tell)),
    close() {
      for (const out of open) void out.close();
    },
  };
}

/** Another node's desk may have heard a little more than this one. */
const behindMs = 1_000;

/**
 * Where a reader was; throws `refused` for what this log has never told anybody. A number between two positions
 * is as good as the one before it.
 */
async function lastSeen(
  context: Context,
  log: Pick<LogReader, 'head'>,
): Promise<Position | undefined> {
  const text = context.req.header('last-event-id') ?? '';
  if (text === '') return undefined;
  const position = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (position > (await log.head())) await sleep(behindMs);
  if (Number.isSafeInteger(position) && position <= (await log.head())) return position;
  const detail = 'Last-Event-ID is no position of this log: begin without it, or with ?from=0';
  throw new Trouble('refused', { tryAgain: false, peer: 'refused', detail });
}

/** One poller for all readers; every waiter is woken now and then to see whether its reader is still there. */
function watchHead(log: Pick<LogReader, 'head'>) {
  let readers = 0;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  let waiting: { after: Position; since: number; wake: (head: Position) => void }[] = [];
  const look = async (): Promise<void> => {
    // A log that cannot be read now may be later; nobody is woken in vain.
    const head = await log.head().catch(() => 0);
    const now = performance.now();
    const woken = waiting.filter(({ after, since }) => head > after || now - since > 1_000);
    waiting = waiting.filter((waiter) => !woken.includes(waiter));
    for (const { wake, after } of woken) wake(Math.max(head, after));
    if (readers > 0) timer = setTimeout(() => void look(), pollMs);
  };
  return {
    enter() {
      readers += 1;
      if (readers === 1) timer = setTimeout(() => void look(), pollMs);
      return () => {
        readers -= 1;
        if (readers === 0) clearTimeout(timer);
      };
    },
    /** Resolves with a later head; after a second without one, or at the end, with what it was given. */
    moved: (after: Position): Promise<Position> =>
      isClosed
        ? Promise.resolve(after)
        : new Promise((wake) => waiting.push({ after, since: performance.now(), wake })),
    close() {
      isClosed = true;
      readers = 0;
      clearTimeout(timer);
      for (const { wake, after } of waiting.splice(0)) wake(after);
    },
  };
}

const nothing = (): void => undefined;
