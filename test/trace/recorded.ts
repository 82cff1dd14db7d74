/** Events as if they stood in a log: numbered per stream and over all. */
import type { NewEvent, RecordedEvent } from '../../src/log/ports.ts';
import type { QueueEvent } from '../../src/queue/events.ts';
import { message } from '../support/queue-mail.ts';

export type Told = { readonly stream: string; readonly event: NewEvent };

/** In one log, one after the other. */
export function recorded(...told: readonly Told[]): RecordedEvent[] {
  const revisions = new Map<string, number>();
  return told.map(({ stream, event }, index) => {
    const revision = revisions.get(stream) ?? 0;
    revisions.set(stream, revision + 1);
    return { ...event, stream, revision, position: index + 1 };
  });
}

/** All of one letter. */
export const ofLetter = (events: readonly QueueEvent[], id: string = message): Told[] =>
  events.map((event) => ({ stream: `message-${id}`, event }));

export const letterLog = (
  ...events: readonly (QueueEvent | readonly QueueEvent[])[]
): RecordedEvent[] => recorded(...ofLetter(events.flat()));

/** A letter's id that ends in these digits. */
export const idEnding = (digits: string): string => message.slice(0, -digits.length) + digits;
