/** A side's events in pages, up to a place. */
import { logStart, type EventText, type Position } from '../log/ports.ts';
import type { Side } from './ports.ts';

const pageEvents = 1_000;

/** `rest` is called between two pages, and may throw to end the walk. */
export async function* pagesOf(
  { log }: Pick<Side, 'log'>,
  upTo: Position = Infinity,
  rest: () => Promise<void> = async () => undefined,
): AsyncGenerator<readonly EventText[]> {
  for (let after: Position = logStart; after < upTo; await rest()) {
    const page = await log.readTexts({ after, limit: pageEvents });
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.position;
    yield after <= upTo ? page : page.filter(({ position }) => position <= upTo);
    if (page.length < pageEvents) return;
  }
}
