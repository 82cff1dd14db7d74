/** Walks over the log in pages, and finds places in it by time. */
import { logStart, type LogReader, type Position, type RecordedEvent } from '../log/ports.ts';
import type { Instant } from '../platform/clock.ts';

export type Walk = {
  /** Events after this position; default: from the first. */
  readonly after?: Position;
  /** No event beyond this position, so that a walk over a growing log ends; default: the head at the start. */
  readonly upTo?: Position;
  readonly onProgress?: (position: Position, upTo: Position) => void;
  /** Between two pages: a long walk lets others to the processor. */
  readonly rest?: () => Promise<void>;
};

const pageEvents = 2_000;

export async function* pagesOf(
  log: Pick<LogReader, 'readAll' | 'head'>,
  { after = logStart, upTo, onProgress, rest }: Walk = {},
): AsyncGenerator<readonly RecordedEvent[]> {
  const end = upTo ?? (await log.head());
  for (let cursor = after; cursor < end;) {
    const page = await log.readAll({ after: cursor, limit: pageEvents });
    const last = page.at(-1);
    if (last === undefined) return;
    cursor = last.position;
    yield cursor <= end ? page : page.filter(({ position }) => position <= end);
    onProgress?.(Math.min(cursor, end), end);
    if (page.length < pageEvents) return;
    await rest?.();
  }
}

export type WalkBack = Pick<Walk, 'onProgress' | 'rest'> & {
  /** Events before this position; default: from the last. */
  readonly before?: Position | undefined;
  /** No event up to this position; default: to the first. */
  readonly downTo?: Position;
};

/** The same from the end, each page the youngest event first. Progress counts towards the first event. */
export async function* pagesBack(
  log: Pick<LogReader, 'readAll'>,
  { before, downTo = logStart, onProgress, rest }: WalkBack = {},
): AsyncGenerator<readonly RecordedEvent[]> {
  let top: Position | undefined;
  for (let cursor = before; ;) {
    const from = cursor === undefined ? {} : { after: cursor };
    const page = await log.readAll({ ...from, direction: 'backwards', limit: pageEvents });
    const last = page.at(-1)?.position ?? downTo;
    top ??= page[0]?.position ?? downTo;
    yield last > downTo ? page : page.filter(({ position }) => position > downTo);
    onProgress?.(top - Math.max(last, downTo), top - downTo);
    if (page.length < pageEvents || last <= downTo) return;
    cursor = last;
    await rest?.();
  }
}

/**
 * A position before which every event is older than `instant`: where to begin when only younger ones
 * matter. Clocks may have been set back; an hour of that is forgiven.
 */
export async function positionBefore(
  log: Pick<LogReader, 'readAll' | 'head'>,
  instant: Instant,
): Promise<Position> {
  const wanted = instant - 3_600_000;
  let low = logStart;
  let high = await log.head();
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const [next] = await log.readAll({ after: middle, limit: 1 });
    if (next === undefined || next.at >= wanted) high = middle;
    else low = next.position;
  }
  return low;
}

/** The first event of those that are all younger than `instant`, with the same hour forgiven; `undefined`: there is none. */
export async function positionAfter(
  log: Pick<LogReader, 'readAll' | 'head'>,
  instant: Instant,
): Promise<Position | undefined> {
  const last = await positionBefore(log, instant + 2 * 3_600_000);
  const [next] = await log.readAll({ after: last, limit: 1 });
  return next?.position;
}
