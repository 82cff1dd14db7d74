/** A page of events as the order that hands them into a cage: their data stays the text that it was, where it is text. */
import type { EventText, RecordedEvent } from '../../log/ports.ts';

/** An event as it is read: who hears it needs its data, and nobody else does. */
export type Read = EventText | RecordedEvent;

/** JSON of an `Order`. */
export const toFoldOrder = (events: readonly Read[]): string =>
  `{"kind":"fold","events":[${events.map(toText).join(',')}]}`;

function toText(event: Read): string {
  const { position, stream, revision, type, v, at } = event;
  const data = 'json' in event ? event.json : JSON.stringify(event.data);
  return `{"position":${position},"stream":${quoted(stream)},"revision":${revision},"type":${quoted(type)},"v":${v},"at":${at},"data":${data}}`;
}

/** Names are nearly always made of these. */
const quoted = (name: string): string =>
  /^[\w.$:-]*$/.test(name) ? `"${name}"` : JSON.stringify(name);
