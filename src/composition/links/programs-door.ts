/** The door for local programs, in the queue's own process: it works whenever letters can be kept at all. */
import { injectDoor, type InjectDoor } from '../../ingress/inject/door.ts';
import type { Trouble } from '../../mail/trouble.ts';
import { systemClock } from '../../platform/clock.ts';
import { linkCallers } from '../../platform/local-callers.ts';
import { wordsOf, type Logger } from '../../platform/logger.ts';
import type { QueueIntake } from '../../queue/intake.ts';
import type { Spool } from '../../spool/ports.ts';
import { directIntake } from './direct-intake.ts';

/** Where callers prove who they are; relative to the data directory, which is the working directory. */
const callersDirectory = 'run/callers';

/** `refusal`: why no letter can be taken now, said before a byte of it is written. */
export function doorForPrograms(
  queue: QueueIntake,
  spool: Spool,
  refusal: () => Trouble | undefined,
  logger: Logger,
): InjectDoor {
  const clock = systemClock;
  return injectDoor({
    ...{ intake: directIntake({ queue, spool, clock, refusal }), clock },
    callers: linkCallers(callersDirectory),
    report: (what, cause) => logger.error({ what, cause: wordsOf(cause) }, 'local programs'),
  });
}
