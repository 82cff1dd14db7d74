/** Computes new views from the whole log, beside those that are served; goes on where a stop left off. */
import type { ConsumerState } from '../log/consumer.ts';
import type { Log, OnOdd } from './fold-page.ts';
import { isOf, openProjector } from './projector.ts';
import { freeBytes, lockForBuilding, openNext, readMeta, serveNext } from './sqlite/files.ts';

export type BuildParts = {
  readonly log: Log;
  readonly directory: string;
  /** Between two pages. */
  readonly rest: () => Promise<void>;
  /** From the first event, whatever a stop has left. */
  readonly afresh?: boolean;
  readonly onOdd?: OnOdd;
};

/** With less room than this the mail needs it more. */
const leastFreeBytes = 256 * 1024 * 1024;
/** Pages between two looks at the room, and at the end of the log. */
const lookEvery = 50;

/** Tells where it stands after each page; the last word is that the new views are served. Throws `log-in-use`. */
export async function* buildViews(parts: BuildParts): AsyncGenerator<ConsumerState> {
  const { log, directory, rest, afresh = false, onOdd } = parts;
  const lock = lockForBuilding(directory);
  try {
    let db = openNext(directory, afresh);
    if (!(await isOf(log, readMeta(db).last))) {
      db.close();
      db = openNext(directory, true);
    }
    const projector = openProjector(db, log, onOdd);
    try {
      let head = await log.head();
      for (let page = 1, more = true; more; page += 1) {
        more = await projector.step();
        if (page % lookEvery === 0) {
          refuseFullDisk(directory);
          head = await log.head();
        }
        yield { position: projector.position, head, events: projector.read, rebuilding: true };
        await rest();
      }
    } finally {
      projector.close();
    }
    serveNext(directory, Date.now());
    const { position, read } = projector;
    yield { position, head: position, events: read };
  } finally {
    lock.release();
  }
}

export function refuseFullDisk(directory: string): void {
  const free = freeBytes(directory);
  if (free >= leastFreeBytes) return;
  throw new Error(`too little room for the views: ${Math.floor(free / 1024 ** 2)} MiB are free`);
}
