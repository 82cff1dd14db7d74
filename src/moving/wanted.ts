/**
 * What the target must hold, event by event: all that the source holds up to its survey, in its order, but for
 * letters that have lost an event. Copying, going on and verifying all follow this one list.
 */
import type { EventText } from '../log/ports.ts';
import { pagesOf } from './pages.ts';
import type { Side } from './ports.ts';
import type { MovingEvent } from './events.ts';
import type { Survey } from './survey.ts';

/** Page by page; `rest`: between two pages. */
export async function* wanted(
  source: Side,
  survey: Survey,
  rest?: () => Promise<void>,
): AsyncGenerator<readonly EventText[]> {
  const isWhole = survey.torn.size === 0 && survey.holes.size === 0;
  for await (const page of pagesOf(source, survey.upTo, rest)) {
    yield isWhole ? page : page.flatMap((event) => mended(event, survey));
  }
}

/** How many events that is. */
export const standIns = ({ holes }: Survey): number =>
  [...holes.values()].reduce((sum, missing) => sum + missing, 0);

const lost: Pick<MovingEvent, 'type' | 'v'> & { readonly json: string } = {
  ...{ type: 'EventLost', v: 1, json: '{}' },
};

function mended(event: EventText, { torn, holes }: Survey): readonly EventText[] {
  if (torn.has(event.stream)) return [];
  const missing = holes.get(event.position) ?? 0;
  const before = Array.from({ length: missing }, (_, n) => ({
    ...{ ...event, ...lost },
    revision: event.revision - missing + n,
  }));
  return [...before, event];
}
