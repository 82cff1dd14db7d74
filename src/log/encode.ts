/**
 * Events on their way in, as text. Done when the append is asked for, not when it is written: what
 * cannot be written is then the asker's bug alone and disturbs nobody who shares the commit.
 */
import type { NewEvent, Revision, StreamName } from './ports.ts';
import { noStream } from './ports.ts';
import type { StagedBody } from '../spool/ports.ts';

/** The JSON of each event's data. Throws `TypeError` for what no log can hold. */
export function encode(events: readonly NewEvent[]): readonly string[] {
  return events.map(({ type, v, at, data }) => {
    const json = JSON.stringify(data) as string | undefined;
    if (json !== undefined && Number.isSafeInteger(v) && Number.isSafeInteger(at)) return json;
    throw new TypeError(`${type}: data must survive JSON, v and at must be whole numbers`);
  });
}

/** A body belongs to the first event of its letter; anywhere else nobody would find it again. */
export function refuseStrayBody(
  stream: StreamName,
  expected: Revision,
  events: readonly NewEvent[],
  body: StagedBody | undefined,
): void {
  if (body === undefined || (expected === noStream && events.length > 0)) return;
  throw new TypeError(`${stream}: a body comes with the first event of its letter`);
}
