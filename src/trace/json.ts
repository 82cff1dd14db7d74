/** JSON for terminals and pipes: one line of ASCII, so that no stranger's control character is ever obeyed. */
import type { RecordedEvent } from '../log/ports.ts';

/** JSON of `value`; what is not printable ASCII is written as `\uXXXX`, which reads back as the same text. */
export const toAsciiJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** An event as the command line shows it. */
export type ShownEvent = {
  readonly position: number;
  readonly stream: string;
  readonly revision: number;
  readonly type: string;
  readonly v: number;
  /** ISO 8601. */
  readonly at: string;
  readonly data: unknown;
};

export const toShownEvent = (event: RecordedEvent): ShownEvent => {
  const { position, stream, revision, type, v, at, data } = event;
  return { position, stream, revision, type, v, at: new Date(at).toISOString(), data };
};

/** One event, one line. */
export const formatEvent = (event: RecordedEvent): string => toAsciiJson(toShownEvent(event));
