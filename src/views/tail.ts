/** What the log holds beyond the views, folded on top of them in memory. */
import { logStart, type Position } from '../log/ports.ts';
import { foldPage, readPage, type Log } from './fold-page.ts';
import { noChanges, type Changes, type FindLetter } from './fold.ts';
import { pageEvents } from './projector.ts';
import type { Said } from './sqlite/rows.ts';

export type Tail = {
  /** The views' position. */
  readonly from: Position;
  position: Position;
  readonly changes: Changes;
  /** Of letters that changed, by their position. */
  readonly said: Map<Position, Omit<Said, 'shape'>[]>;
};

export const emptyTail = (from: Position): Tail => ({
  from,
  position: from,
  changes: noChanges(),
  said: new Map(),
});

/** Reads on to the end of the log. `find`: the letter as the views have it. */
export async function readTail(
  tail: Tail,
  log: Log,
  find: FindLetter,
  {
    onProgress,
    rest,
  }: {
    readonly onProgress?: ((position: Position, upTo: Position) => void) | undefined;
    readonly rest?: (() => Promise<void>) | undefined;
  } = {},
): Promise<void> {
  const head = await log.head();
  while (tail.position < head) {
    const page = await readPage(log, tail.position, pageEvents);
    foldPage(tail.changes, page, find);
    for (const attempt of tail.changes.attempts.splice(0)) {
      const said = tail.said.get(attempt.letter);
      if (said === undefined) tail.said.set(attempt.letter, [attempt]);
      else said.push(attempt);
    }
    tail.position = page.at(-1)?.position ?? head;
    onProgress?.(tail.position - tail.from, Math.max(head, tail.position) - tail.from);
    if (page.length < pageEvents) break;
    await rest?.();
  }
}

export const isEmpty = ({ from, position }: Tail): boolean => position <= Math.max(from, logStart);
