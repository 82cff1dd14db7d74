/** JSON for terminals and pipes: one line of ASCII, so that no stranger's control character is ever obeyed. */
import type { EventText, RecordedEvent } from '../log/ports.ts';

/** JSON of `value`; what is not printable ASCII is written as `\uXXXX`, which reads back as the same text. */
export const toAsciiJson = (value: unknown): string => inAscii(JSON.stringify(value));

const strange = /[\u007f-\uffff]/;
const allStrange = new RegExp(strange, 'g');

/** Most lines are ASCII, and only looked through. */
const inAscii = (json: string): string =>
  strange.test(json)
    ? json.replace(allStrange, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    : json;

/** One event, one line. */
export const formatEvent = (event: RecordedEvent): string =>
  formatText({ ...event, json: JSON.stringify(event.data) });

/** The same line, made of what the log holds without parsing it: a follower has many to make. */
export function formatText({ position, stream, revision, type, v, at, json }: EventText): string {
  const place = `"position":${position},"stream":${JSON.stringify(stream)},"revision":${revision}`;
  const kind = `"type":${JSON.stringify(type)},"v":${v},"at":"${new Date(at).toISOString()}"`;
  return inAscii(`{${place},${kind},"data":${json}}`);
}
