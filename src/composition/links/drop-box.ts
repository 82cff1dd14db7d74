/** The drop box in the queue's own process: it takes other users' bytes at `run/inject.sock` as well. */
import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { openDropBox, type DropBox } from '../../ingress/drop/box.ts';
import type { OddDrop } from '../../ingress/drop/take.ts';
import type { Trouble } from '../../mail/trouble.ts';
import { systemClock } from '../../platform/clock.ts';
import { wordsOf, type Logger } from '../../platform/logger.ts';
import { nowAndThen } from '../../platform/now-and-then.ts';
import { makeLastingFolder } from '../../platform/sync-path.ts';
import type { QueueIntake } from '../../queue/intake.ts';
import type { Spool } from '../../spool/ports.ts';
import { directIntake } from './direct-intake.ts';

/** Relative to the data directory, which is the working directory. */
const dropDirectory = 'drop';
const asideDirectory = 'aside';

/** Everybody may make a file in it, which gets the engine's group; nobody may list it or touch another's. */
const dropMode = 0o3733;

/** Nobody writes such a letter by hand; who must send more has an engine that runs. */
const maxBytes = 2 ** 30;

/** `refusal`: why no letter can be taken now; they wait in the box then. */
export function dropBoxFor(
  queue: QueueIntake,
  spool: Spool,
  refusal: () => Trouble | undefined,
  logger: Logger,
): DropBox {
  const clock = systemClock;
  const intake = directIntake({ queue, spool, clock, refusal });
  makeBox();
  return openDropBox({
    ...{ directory: dropDirectory, aside: asideDirectory, clock, maxBytes },
    begin: (id) => intake.begin(id),
    told: {
      aside: tellOdd(logger),
      trouble: nowAndThen(clock, (cause) =>
        logger.warn({ cause: wordsOf(cause) }, 'letters wait in the drop box'),
      ),
    },
  });
}

/** Whoever floods the box does not flood our words: one at once, the others of that second as a number. */
function tellOdd(logger: Logger) {
  let others: number | undefined;
  return (name: string, { uid, why }: OddDrop, as: string | undefined): void => {
    if (others !== undefined) {
      others += 1;
      return;
    }
    others = 0;
    const fields = { name, uid, why, as: as ?? 'left where it lies' };
    logger.warn(fields, 'set aside from the drop box: no letter');
    systemClock.at(systemClock.now() + 1_000, () => {
      if (others) logger.warn({ others }, 'set aside from the drop box, too');
      others = undefined;
    });
  };
}

/** As root it is there already (`data-directory.ts`). */
function makeBox(): void {
  mkdirSync(asideDirectory, { recursive: true, mode: 0o700 });
  makeLastingFolder(dropDirectory, 0o700);
  const { mode, uid } = lstatSync(dropDirectory);
  if ((mode & 0o7777) !== dropMode && uid === process.geteuid?.())
    chmodSync(dropDirectory, dropMode);
}
