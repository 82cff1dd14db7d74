/** `waybill log`: the events themselves, one JSON value per line; each once and in order, also while they come. */
import { setTimeout as sleep } from 'node:timers/promises';
import { logStart, type EventText, type Position } from '../log/ports.ts';
import type { ReadOnlyLog } from '../log/sqlite/open-reader.ts';
import { isTrouble } from '../mail/trouble.ts';
import { parseMessageId } from '../mail/message-id.ts';
import { formatText } from '../trace/json.ts';
import { positionBefore } from '../trace/pages.ts';
import type { Place } from './arguments.ts';
import { giveWay, shareOfFollower, shareOfReading } from './giving-way.ts';
import { withLog, type OpenedLog } from './open-log.ts';
import { openOutput, type Output } from './output.ts';
import type { Places } from './places.ts';

export type LogOptions = {
  readonly from?: Place;
  readonly follow?: boolean;
  readonly type?: readonly string[];
  readonly stream?: string;
  readonly limit?: number;
  readonly urgent?: boolean;
};

/** Prints what is wanted; remembers how far it got, so that a broken subscription goes on where it was. */
type Printer = {
  readonly position: Position;
  readonly enough: boolean;
  take(event: EventText): void;
};

/** How long a follower waits before it asks a log again that could not be read. */
const patienceMs = 1_000;

/** How often a follower asks whether there is news. */
const pollMs = 100;

/** Small: between two pages it gives way, and no reader should hold up the write-ahead log for long. */
const pageEvents = 500;

export async function log(places: Places, options: LogOptions): Promise<void> {
  const output = openOutput();
  if (options.limit === 0) return;
  let start: Position | undefined;
  let printer: Printer | undefined;
  for (;;) {
    try {
      await withLog(places.data, async (opened) => {
        start ??= await startOf(opened, options.from);
        printer ??= openPrinter(options, start, output);
        await (options.follow === true
          ? follow(opened, printer, options, output)
          : print(opened, printer, options, output));
      });
      return;
    } catch (cause) {
      const goOn =
        options.follow === true && printer !== undefined && isTrouble(cause, 'log-unavailable');
      if (!goOn) throw cause;
      await new Promise((resolve) => setTimeout(resolve, patienceMs));
    }
  }
}

/** The position after which to read. */
async function startOf({ log: events }: OpenedLog, from: Place | undefined): Promise<Position> {
  if (from === undefined) return logStart;
  return 'position' in from
    ? Math.max(logStart, from.position - 1)
    : positionBefore(events, from.at);
}

function openPrinter(
  { from, type, stream, limit = Infinity }: LogOptions,
  start: Position,
  output: Output,
): Printer {
  const types = type === undefined ? undefined : new Set(type.map((name) => name.toLowerCase()));
  const isWanted = streamFilter(stream);
  const since = from !== undefined && 'at' in from ? from.at : -Infinity;
  let position = start;
  let printed = 0;
  return {
    get position() {
      return position;
    },
    get enough() {
      return printed >= limit || output.gone;
    },
    take(event) {
      if (printed >= limit || event.position <= position) return;
      position = event.position;
      if (event.at < since || !isWanted(event.stream)) return;
      if (types !== undefined && !types.has(event.type.toLowerCase())) return;
      printed += 1;
      output.line(formatText(event));
    },
  };
}

/** A stream by its whole name, a letter by its id, or a category. */
function streamFilter(wanted: string | undefined): (stream: string) => boolean {
  if (wanted === undefined) return () => true;
  const message = parseMessageId(wanted);
  const name = message === undefined ? wanted : `message-${message}`;
  return (stream) => stream === name || stream.startsWith(`${name}-`);
}

async function print(
  { log: events }: OpenedLog,
  printer: Printer,
  { stream, urgent }: LogOptions,
  output: Output,
): Promise<void> {
  const message = parseMessageId(stream ?? '');
  // A letter's own stream is a few events; no need to read the whole log for it.
  if (message !== undefined) {
    for (const event of await events.readStream(`message-${message}`)) {
      printer.take({ ...event, json: JSON.stringify(event.data) });
    }
  } else {
    const way = giveWay(urgent === true ? 1 : shareOfReading);
    const end = await events.head();
    while (await printPage(events, printer, output, end)) await way.rest();
  }
  await output.drained();
}

/** Prints the next page; whether there may be more. */
async function printPage(
  events: ReadOnlyLog,
  printer: Printer,
  output: Output,
  upTo: Position = Infinity,
): Promise<boolean> {
  const page = events.readTexts({ after: printer.position, limit: pageEvents });
  for (const event of page) if (event.position <= upTo) printer.take(event);
  await output.drained();
  return page.length === pageEvents && page.at(-1)!.position < upTo && !printer.enough;
}

/** Until interrupted, or the reader of our lines goes away, or there is enough. */
async function follow(
  { log: events }: OpenedLog,
  printer: Printer,
  { urgent }: LogOptions,
  output: Output,
): Promise<void> {
  const way = giveWay(urgent === true ? 1 : shareOfFollower);
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  const isOver = () => interrupted.signal.aborted || printer.enough || process.stdout.destroyed;
  try {
    while (!isOver()) {
      // Asked before reading: what is committed meanwhile is then not missed.
      const version = events.version();
      while ((await printPage(events, printer, output)) && !isOver()) await way.rest();
      await way.rest();
      while (!isOver() && events.version() === version) await pause(interrupted.signal);
    }
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    await output.drained();
  }
}

const pause = (signal: AbortSignal): Promise<void> =>
  sleep(pollMs, undefined, { signal }).catch(() => undefined);
