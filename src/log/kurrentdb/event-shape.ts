/**
 * Our events as the event store keeps them, and back: data as JSON, `v` and `at` in flat metadata of strings
 * (which both versions of its protocol carry), an id that says the same when the same is said again.
 */
import type { JSONEventData, RecordedEvent as StoredEvent } from '@kurrent/kurrentdb-client';
import { eventId } from '../event-id.ts';
import type { NewEvent, Position, RecordedEvent, Revision, StreamName } from '../ports.ts';

/** `text`: the data was a string; so one that comes from bytes that are no JSON is told apart. */
type Said = { readonly v: string; readonly at: string; readonly text?: string };

/** Repeated with the same words this is the same call, ids included. */
export function toStored(
  stream: StreamName,
  expected: Revision,
  events: readonly NewEvent[],
  texts: readonly string[],
): JSONEventData[] {
  return events.map(({ type, v, at }, index) => {
    const text = texts[index]!;
    // Made from the text: what the caller does to its object meanwhile changes nothing, and throws nowhere.
    const data = JSON.parse(text) as object;
    const metadata: Said = {
      ...{ v: String(v), at: String(at) },
      ...(typeof data === 'string' ? { text: '1' } : {}),
    };
    const id = eventId(stream, expected + 1 + index, at, `${type} ${v} ${text}`);
    return { id, contentType: 'application/json', type, data: data as never, metadata };
  });
}

/** Why an event cannot be one of ours. */
export type Odd = {
  readonly position: Position;
  readonly stream: StreamName;
  readonly what: string;
};

export type Told = { readonly event: RecordedEvent } | { readonly odd: Odd };

/** Why an event that could be ours is none; `undefined`: it may be. Absent: all are. */
export type Oddity = (event: RecordedEvent) => string | undefined;

export function fromStored(stored: StoredEvent, oddity?: Oddity): Told {
  const { streamId: stream, type, data, isJson, metadata } = stored;
  const { position, isExact } = toPosition(stored.position);
  const odd = (what: string): Told => ({ odd: { position, stream, what } });
  if (!isExact) return odd('its position is not one that Waybill can keep');
  if (!isJson) return odd(`an event of type ${type} that is not JSON`);
  const { v, at, text } = (metadata ?? {}) as Partial<Said>;
  if (!isWhole(v) || !isWhole(at))
    return odd(`an event of type ${type} that Waybill did not write`);
  if (typeof data === 'string' && text === undefined) return odd('its data is no JSON');
  const place = { stream, revision: Number(stored.revision), position };
  const event = { type, v: Number(v), at: Number(at), data, ...place };
  const why = oddity?.(event);
  return why === undefined ? { event } : odd(why);
}

const isWhole = (text: unknown): text is string =>
  typeof text === 'string' && /^-?[0-9]{1,16}$/.test(text);

type StoredPosition = StoredEvent['position'];

/**
 * The commit position: bytes from the start of the event store's log, far below 2^53 (9 petabytes). For
 * everything written in one piece the prepare position is the same; nothing of ours is written otherwise.
 */
export function toPosition(stored: StoredPosition): {
  readonly position: Position;
  readonly isExact: boolean;
} {
  const { commit, prepare } = stored ?? { commit: 0n, prepare: 1n };
  const position = Number(commit);
  return { position, isExact: commit === prepare && Number.isSafeInteger(position) };
}

export const toStoredPosition = (position: Position): { commit: bigint; prepare: bigint } => ({
  commit: BigInt(position),
  prepare: BigInt(position),
});
