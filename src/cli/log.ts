/** `waybill log`: the events themselves, one JSON value per line; each once and in order, also while they come. */
import { firstValueFrom, fromEvent, merge, race, Subject, takeUntil } from 'rxjs';
import { logStart, type Position, type RecordedEvent } from '../log/ports.ts';
import { isTrouble } from '../mail/trouble.ts';
import { parseMessageId } from '../mail/message-id.ts';
import { formatEvent } from '../trace/json.ts';
import { pagesOf, positionBefore } from '../trace/pages.ts';
import type { Place } from './arguments.ts';
import { withLog, type OpenedLog } from './open-log.ts';
import { openOutput, type Output } from './output.ts';
import type { Places } from './places.ts';

export type LogOptions = {
  readonly from?: Place;
  readonly follow?: boolean;
  readonly type?: readonly string[];
  readonly stream?: string;
  readonly limit?: number;
};

/** Prints what is wanted; remembers how far it got, so that a broken subscription goes on where it was. */
type Printer = {
  readonly position: Position;
  readonly enough: boolean;
  take(event: RecordedEvent): void;
};

/** How long a follower waits before it asks a log again that could not be read. */
const patienceMs = 1_000;

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
          ? follow(opened, printer, output)
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
      output.line(formatEvent(event));
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
  { stream }: LogOptions,
  output: Output,
): Promise<void> {
  const message = parseMessageId(stream ?? '');
  // A letter's own stream is a few events; no need to read the whole log for it.
  if (message !== undefined) {
    for (const event of await events.readStream(`message-${message}`)) printer.take(event);
  } else {
    for await (const page of pagesOf(events, { after: printer.position })) {
      for (const event of page) printer.take(event);
      await output.drained();
      if (printer.enough) break;
    }
  }
  await output.drained();
}

/** Until interrupted, or the reader of our lines goes away, or there is enough. */
async function follow({ log: events }: OpenedLog, printer: Printer, output: Output): Promise<void> {
  const done$ = new Subject<void>();
  const interrupted$ = merge(fromEvent(process, 'SIGINT'), fromEvent(process, 'SIGTERM'));
  const failed$ = new Subject<never>();
  // That a reader went away is told some time after the write that it missed.
  const watch = setInterval(() => {
    if (output.gone || process.stdout.destroyed) done$.next();
  }, 500);
  let pending = false;
  // Events come many in a turn of the loop; what one turn brings is written together.
  const soon = (): void => {
    if (pending) return;
    pending = true;
    setImmediate(() => {
      pending = false;
      void output.drained();
    });
  };
  const subscription = events
    .subscribe(printer.position)
    .pipe(takeUntil(done$))
    .subscribe({
      next: (signal) => {
        if (signal.kind === 'event') printer.take(signal.event);
        soon();
        if (printer.enough) done$.next();
      },
      error: (cause: unknown) => failed$.error(cause),
    });
  try {
    await firstValueFrom(race(done$, interrupted$, failed$), { defaultValue: undefined });
  } finally {
    clearInterval(watch);
    subscription.unsubscribe();
    await output.drained();
  }
}
