/** `waybill log`: the events themselves, one JSON value per line; each once and in order, also while they come. */
import { setTimeout as sleep } from 'node:timers/promises';
import { logStart, type EventText, type Position } from '../log/ports.ts';
import type { LogAtHand } from '../log/at-hand.ts';
import { isTrouble } from '../mail/trouble.ts';
import { parseMessageId } from '../mail/message-id.ts';
import { formatText } from '../trace/json.ts';
import { positionBefore } from '../trace/pages.ts';
import type { Place } from './arguments.ts';
import type { Handed } from './handover.ts';
import { giveWay, shareOfFollower, shareOfReading } from './giving-way.ts';
import { Interrupts } from './interrupts.ts';
import { keepCheckpoint, type Keeping } from './log-checkpoint.ts';
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
  /** Goes on where the consumer of this name stands. */
  readonly checkpoint?: string;
  /** It says on stdin what it has handled. */
  readonly ack?: boolean;
};

/** Prints what is wanted; remembers how far it got, so that a broken subscription goes on where it was. */
type Printer = {
  readonly position: Position;
  readonly enough: boolean;
  take(event: EventText): void;
  /** What has been printed since the last time. */
  handed(): Handed;
};

/** How long a follower waits before it asks a log again that could not be read. */
const patienceMs = 1_000;

/** How often a follower asks whether there is news. */
const pollMs = 100;

/** After the last line, for answers; whoever needs longer hears those events again. */
const lastAnswersMs = 1_000;

/** Small: between two pages it gives way, and no reader should hold up the write-ahead log for long. */
const pageEvents = 500;

export async function log(places: Places, options: LogOptions): Promise<void> {
  const { limit, checkpoint, ack = false } = options;
  if (limit === 0) return;
  const output = openOutput();
  const keeping = checkpoint === undefined ? undefined : keepCheckpoint(checkpoint, ack);
  try {
    await read(places, options, output, keeping);
  } finally {
    keeping?.end();
  }
}

async function read(
  places: Places,
  options: LogOptions,
  output: Output,
  keeping: Keeping | undefined,
): Promise<void> {
  let printer: Printer | undefined;
  const interrupts = new Interrupts();
  for (;;) {
    try {
      await withLog(places, async (opened) => {
        const kept = (await keeping?.take(opened)) ?? logStart;
        try {
          const start = kept > logStart ? kept : await startOf(opened, options.from);
          printer ??= openPrinter(options, start, output);
          const parts = { log: opened.log, printer, output, keeping, options, interrupts };
          await (options.follow === true ? follow(parts) : print(parts));
        } finally {
          await released(keeping, interrupts);
        }
      });
      return;
    } catch (cause) {
      if (interrupts.signal.aborted && isTrouble(cause, 'log-unavailable')) return;
      const goOn =
        options.follow === true && printer !== undefined && isTrouble(cause, 'log-unavailable');
      if (!goOn) throw cause;
      await sleep(patienceMs);
    }
  }
}

/** Where the log hangs, it may keep us from saying how far we were: those events are heard again. */
async function released(keeping: Keeping | undefined, interrupts: Interrupts): Promise<void> {
  const letGo = keeping?.release();
  if (!interrupts.hung) return letGo;
  letGo?.catch(() => undefined);
  await Promise.race([letGo, sleep(lastAnswersMs)]);
  interrupts.end();
}

type Parts = {
  readonly log: LogAtHand;
  readonly printer: Printer;
  readonly output: Output;
  readonly keeping: Keeping | undefined;
  readonly options: LogOptions;
  readonly interrupts: Interrupts;
};

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
  let lines: Position[] = [];
  let bytes = 0;
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
      const line = formatText(event);
      output.line(line);
      lines.push(position);
      bytes += line.length + 1;
    },
    handed() {
      const handed = { position, printed: lines, bytes };
      lines = [];
      bytes = 0;
      return handed;
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

async function print(parts: Parts): Promise<void> {
  const { log: events, printer, output, keeping, options } = parts;
  const message = parseMessageId(options.stream ?? '');
  // A letter's own stream is a few events; no need to read the whole log for it.
  if (message !== undefined && keeping === undefined) {
    for (const event of await events.readStream(`message-${message}`)) {
      printer.take({ ...event, json: JSON.stringify(event.data) });
    }
  } else {
    const way = giveWay(options.urgent === true ? 1 : shareOfReading);
    const end = await events.head();
    while ((await printPage(parts, end)) && keeping?.over !== true) await way.rest();
    await keeping?.settled();
  }
  await output.drained();
}

/** Prints the next page; whether there may be more. */
async function printPage(
  { log: events, printer, output, keeping, interrupts }: Parts,
  upTo: Position = Infinity,
): Promise<boolean> {
  const asked = events.readTexts({ after: printer.position, limit: pageEvents });
  const page = await interrupts.unlessHung(Promise.resolve(asked));
  for (const event of page) if (event.position <= upTo) printer.take(event);
  const handed = printer.handed();
  keeping?.leaving(handed);
  await output.drained();
  if (page.length > 0 && !output.gone) await keeping?.page(handed);
  return page.length === pageEvents && page.at(-1)!.position < upTo && !printer.enough;
}

/** Until interrupted, or the reader of our lines goes away, or there is enough. */
async function follow(parts: Parts): Promise<void> {
  const { log: events, printer, output, keeping, options, interrupts } = parts;
  const way = giveWay(options.urgent === true ? 1 : shareOfFollower);
  interrupts.listen();
  const isOver = () =>
    interrupts.signal.aborted ||
    printer.enough ||
    process.stdout.destroyed ||
    keeping?.over === true;
  try {
    while (!isOver()) {
      // Asked before reading: what is committed meanwhile is then not missed.
      const version = events.version();
      while ((await printPage(parts)) && !isOver()) await way.rest();
      await way.rest();
      while (!isOver() && events.version() === version) await pause(interrupts.signal);
    }
    // What is on its way to the reader may still be answered.
    if (keeping !== undefined) await Promise.race([keeping.settled(), sleep(lastAnswersMs)]);
  } finally {
    interrupts.ignore();
    await output.drained();
  }
}

const pause = (signal: AbortSignal): Promise<void> =>
  sleep(pollMs, undefined, { signal }).catch(() => undefined);
