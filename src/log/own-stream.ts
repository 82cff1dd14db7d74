/**
 * A stream that only we write: events one after the other, in the order told. After trouble its end is
 * looked up again, so that one lost answer does not silence the stream for good.
 */
import { isTrouble } from '../mail/trouble.ts';
import { noStream, type EventLog, type NewEvent, type Revision, type StreamName } from './ports.ts';

export interface OwnStream {
  /** Resolves when durable. Rejects as the log does; the event may be there nevertheless. */
  append(event: NewEvent): Promise<void>;
}

/** `stream` must be new. */
export function ownStream(log: EventLog, stream: StreamName): OwnStream {
  let revision: Revision | undefined = noStream;
  let tail: Promise<unknown> = Promise.resolve();

  const end = async (): Promise<Revision> => {
    const [last] = await log.readStream(stream, { direction: 'backwards', limit: 1 });
    return last?.revision ?? noStream;
  };
  const write = async (event: NewEvent): Promise<void> => {
    const expected: Revision = revision ?? (await end());
    revision = undefined;
    const ask = () => log.append(stream, expected, [event]);
    // Asked in the same words again, the log says what came of the first time.
    const again = (cause: unknown) => {
      if (!isTrouble(cause, 'log-unavailable')) throw cause;
      return ask();
    };
    ({ revision } = await ask().catch(again));
  };
  return {
    append(event) {
      const written = tail.then(() => write(event));
      tail = written.catch(() => undefined);
      return written;
    },
  };
}
