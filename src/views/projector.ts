/** Keeps one view database up with the log, a batch at a time. */
import type { DatabaseSync } from 'node:sqlite';
import { logStart, type Position } from '../log/ports.ts';
import { foldPage, readPage, type Log } from './fold-page.ts';
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
  /** Folds the next page in; whether there may be more. At the end of the log everything is written. */
  step(): Promise<boolean>;
  close(): void;
};

export function openProjector(db: DatabaseSync, log: Log): Projector {
  const meta = readMeta(db);
  const writer = new ViewWriter(db);
  let { last, letters } = meta;
  let changes = noChanges();
  let events = 0;
  const write = (): void => {
    if (last === undefined || events === 0) return;
    for (const { isNew } of changes.letters.values()) if (isNew) letters += 1;
    writer.write(changes, last, letters);
    changes = noChanges();
    events = 0;
  };
  return {
    get position() {
      return last?.position ?? logStart;
    },
    async step() {
      const page = await readPage(log, last?.position ?? logStart, pageEvents);
      foldPage(changes, page, writer.find);
      const end = page.at(-1);
      if (end !== undefined) {
        const { position, stream, revision, at } = end;
        last = { position, stream, revision, at };
      }
      events += page.length;
      const more = page.length === pageEvents;
      if (!more || events >= batchEvents) write();
      return more;
    },
    close: () => db.close(),
  };
}

/** Whether the last event that the views heard of is in this log, as it was: else they tell of another one. */
export async function isOf(log: Log, last: LastEvent | undefined): Promise<boolean> {
  if (last === undefined) return true;
  const [found] = await readPage(log, last.position - 1, 1);
  return (
    found?.position === last.position &&
    found.stream === last.stream &&
    found.revision === last.revision &&
    found.at === last.at
  );
}
