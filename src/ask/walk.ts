/** Asks a question of the past: one pass over the log, in pages, in bounded memory. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EventText, LogReader, Position, ReadAll } from '../log/ports.ts';
import type { Instant } from '../platform/clock.ts';
import type { Asking } from './asking.ts';
import type { Read } from './cage/fold-order.ts';

/** A log as one reads it; `readTexts` (most have it) spares parsing what nobody hears. */
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
  /**
   * Between two pages; `ranMs` is what the question itself had of a processor since the last time. When it
   * says `stop`, the walk ends there.
   */
  readonly rest?: (ranMs: number) => Promise<'stop' | void>;
  /** What a question that goes line by line has to say. */
  readonly onLines?: (lines: readonly string[]) => void;
};

export type Walked = { readonly position: Position; readonly at: Instant };

const pageEvents = 2_000;
const pagesAhead = 2;

/** Gives the last event's place; `after` and instant 0 when there was none. */
export async function walk(source: Source, asking: Asking, how: Walk = {}): Promise<Walked> {
  const { upTo, onProgress, rest } = how;
  const head = await source.head();
  const end = upTo !== undefined && 'position' in upTo ? Math.min(upTo.position, head) : head;
  const latest = upTo !== undefined && 'at' in upTo ? upTo.at : Infinity;
  const within = (events: readonly Read[]) => {
    const over = events.findIndex(({ at, position }) => at > latest || position > end);
    return over === -1 ? events : events.slice(0, over);
  };
  let walked: Walked = { position: how.after ?? 0, at: 0 };
  if (asking.stream !== undefined && how.after === undefined) {
    await told(asking, within(await source.readStream(asking.stream)), how);
    return { ...walked, position: end };
  }
  const folding: Promise<number>[] = [];
  while (walked.position < end) {
    const page = await readPage(source, { after: walked.position, limit: pageEvents });
    const wanted = within(page);
    // The question has a page, and one more before it, while the next one is read.
    const ranMs = folding.length < pagesAhead ? 0 : await folding.shift()!;
    if (asking.parked !== undefined) break;
    const telling = told(asking, wanted, how);
    // Waited for later: until then a failure is nobody's.
    telling.catch(() => undefined);
    folding.push(telling);
    const last = wanted.at(-1);
    if (last !== undefined) walked = { position: last.position, at: last.at };
    onProgress?.(walked.position, end);
    if (wanted.length < page.length || page.length < pageEvents) break;
    // Others in this process have their turn in between.
    await nextTurn();
    if ((await rest?.(ranMs)) === 'stop') break;
  }
  await Promise.all(folding);
  return walked;
}

async function told(asking: Asking, events: readonly Read[], { onLines }: Walk): Promise<number> {
  const { lines, ranMs } = await asking.fold(events);
  if (lines.length > 0) onLines?.(lines);
  return ranMs;
}

const readPage = async (source: Source, options: ReadAll): Promise<readonly Read[]> =>
  source.readTexts?.(options) ?? source.readAll(options);
