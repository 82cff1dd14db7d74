/** Keeps one view database up with the log, a batch at a time. */
import type { DatabaseSync } from 'node:sqlite';
import { mayBeGone } from '../log/known-event.ts';
import type { Position } from '../log/ports.ts';
import { isTrouble } from '../mail/trouble.ts';
import { foldPage, readPage, type Log, type OnOdd, type Page } from './fold-page.ts';
import { noChanges } from './fold.ts';
import { readMeta } from './sqlite/files.ts';
import { ViewWriter, type LastEvent } from './sqlite/writer.ts';

/** Events folded at a time, some milliseconds of work. */
export const pageEvents = 2_000;
/** Events of one transaction, while there are so many: most letters come, go and are written once. */
const batchEvents = 50_000;

export type Projector = {
  /** Everything up to here is folded; at most one batch of it is not written yet. */
  readonly position: Position;
  /** Events read so far, by this one. */
  readonly read: number;
  /** Folds the next page in; whether there may be more. At the end of the log everything is written. */
  step(): Promise<boolean>;
  close(): void;
};

export function openProjector(db: DatabaseSync, log: Log, onOdd?: OnOdd): Projector {
  const writer = new ViewWriter(db);
  let { last, upTo, letters } = readMeta(db);
  let changes = noChanges();
  let events = 0;
  let read = 0;
  /** The page after the one in hand: what is far away comes while that one is folded. */
  let coming: Promise<Page> | undefined;
  const write = (): void => {
    if (last === undefined || events === 0) return;
    for (const { isNew } of changes.letters.values()) if (isNew) letters += 1;
    writer.write(changes, last, { letters, upTo });
    changes = noChanges();
    events = 0;
  };
  const next = async (): Promise<Page> => {
    const page = await (coming ?? readPage(log, upTo, pageEvents));
    coming = undefined;
    const isFar = log.readTexts === undefined && page.length === pageEvents;
    if (isFar) {
      coming = readPage(log, page.at(-1)!.position, pageEvents);
      coming.catch(() => undefined);
    }
    return page;
  };
  return {
    get position() {
      return upTo;
    },
    get read() {
      return read;
    },
    async step() {
      const page = await next().catch((cause: unknown) => {
        coming = undefined;
        throw cause;
      });
      foldPage(changes, page, writer.find, onOdd);
      const end = page.findLast(({ stream }) => !mayBeGone(stream));
      if (end !== undefined) {
        const { position, stream, revision, at } = end;
        last = { position, stream, revision, at };
      }
      upTo = page.at(-1)?.position ?? upTo;
      events += page.length;
      read += page.length;
      const more = page.length === pageEvents;
      if (!more || events >= batchEvents) write();
      return more;
    },
    close: () => db.close(),
  };
}

/**
 * Whether the last event that the views heard of is in this log, as it was: else they tell of another one. Looked
 * for in its stream: an event store likes no positions that it has not given to whoever asks.
 */
export async function isOf(log: Log, last: LastEvent | undefined): Promise<boolean> {
  if (last === undefined) return true;
  const { stream, revision, position, at } = last;
  try {
    const [found] = await log.readStream(stream, { from: revision, limit: 1 });
    return found?.revision === revision && found.position === position && found.at === at;
  } catch (cause) {
    if (isTrouble(cause, 'log-damaged')) return false;
    throw cause;
  }
}
