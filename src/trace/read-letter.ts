/** One letter's events, as many as can be read: a damaged one leaves a gap and does not hide the rest. */
import type { LogReader, RecordedEvent } from '../log/ports.ts';
import { isTrouble } from '../mail/trouble.ts';
import type { MessageId } from '../mail/envelope.ts';
import { messageStream } from '../queue/events.ts';

export type LetterEvents = {
  readonly events: readonly RecordedEvent[];
  /** Revisions that cannot be read. */
  readonly lost: readonly number[];
};

/** So many damaged events in a row count as the stream's end. */
const longestGap = 100;

export async function readLetter(
  log: Pick<LogReader, 'readStream'>,
  message: MessageId,
): Promise<LetterEvents> {
  const stream = messageStream(message);
  try {
    return { events: await log.readStream(stream), lost: [] };
  } catch (cause) {
    if (!isTrouble(cause, 'log-damaged')) throw cause;
    return salvage(log, stream);
  }
}

async function salvage(log: Pick<LogReader, 'readStream'>, stream: string): Promise<LetterEvents> {
  const events: RecordedEvent[] = [];
  const lost: number[] = [];
  for (let revision = 0, gap = 0; gap < longestGap; revision += 1) {
    try {
      const [event] = await log.readStream(stream, { from: revision, limit: 1 });
      if (event === undefined) break;
      events.push(event);
      gap = 0;
    } catch (cause) {
      if (!isTrouble(cause, 'log-damaged')) throw cause;
      lost.push(revision);
      gap += 1;
    }
  }
  return { events, lost };
}
