/** Events on their way in, cut into what is written at once. */
import type { EventText } from '../log/ports.ts';
import type { Placed } from './bodies.ts';
import type { Cursor } from './cursor.ts';
import type { Run } from './ports.ts';

/**
 * One commit of the embedded log, which takes twice as much; and a second or two of an event store that takes one
 * append at a time.
 */
const mostEvents = 1_000;
const mostBytes = 4 * 1024 * 1024;
/** Far below what every release of an event store takes in one append. */
const mostOfARun = 256 * 1024;
const mostEventsOfARun = 500;

/** The next ones; none: the end. `besides`: bytes that come with an event. */
export async function takeBatch(
  events: Cursor,
  besides: (event: EventText) => number,
): Promise<readonly EventText[]> {
  const batch: EventText[] = [];
  for (let bytes = 0; batch.length < mostEvents && bytes < mostBytes;) {
    if ((await events.ready()) === 0) break;
    const event = events.take();
    batch.push(event);
    bytes += event.json.length + besides(event);
  }
  return batch;
}

/** Neighbours of one stream are written together; nothing changes places. */
export function toRuns(batch: readonly EventText[], bodies: Placed): readonly Run[] {
  const runs: { first: EventText; events: EventText[]; bytes: number }[] = [];
  for (const event of batch) {
    const run = runs.at(-1);
    const fits =
      run?.first.stream === event.stream &&
      run.bytes + event.json.length <= mostOfARun &&
      run.events.length < mostEventsOfARun;
    if (!fits) runs.push({ first: event, events: [event], bytes: event.json.length });
    else {
      run.events.push(event);
      run.bytes += event.json.length;
    }
  }
  return runs.map(({ first, events }) => ({
    stream: first.stream,
    expected: first.revision - 1,
    events: events.map(({ type, v, at, json }) => ({
      type,
      v,
      at,
      data: JSON.parse(json) as unknown,
    })),
    ...(first.revision === 0 ? { body: bodies.get(first.stream) } : {}),
  }));
}
