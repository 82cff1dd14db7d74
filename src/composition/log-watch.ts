/** The log's health as the queue lives with it: one line and one event for each trouble, and what must be written waits for its end. */
import { firstValueFrom, type Observable } from 'rxjs';
import type { NodeLog } from '../control/node-log.ts';
import { isLogTrouble, openHealth, type LogHealth, type LogTrouble } from '../log/health.ts';
import { isTrouble, type Trouble } from '../mail/trouble.ts';
import { systemClock, type Clock, type Instant } from '../platform/clock.ts';
import { wordsOf, type Logger } from '../platform/logger.ts';
import { nowAndThen } from '../platform/now-and-then.ts';

/** The end of a trouble is the first thing that could be written again: the two events that tell of it. */
export function watchLog(parts: {
  readonly troubles$: Observable<Trouble>;
  readonly node: NodeLog;
  /** A disk that has room for these two events only is as full as before. */
  readonly hasRoom?: () => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}): LogHealth {
  const { troubles$, node, hasRoom = () => true, clock, logger } = parts;
  let told: Instant | undefined;
  const health = openHealth({
    clock,
    async probe({ cause, since }) {
      if (cause.code === 'log-full' && !hasRoom()) throw cause;
      if (told !== since) {
        const data = { code: cause.code, what: cause.message };
        await node.tell({ type: 'LogTroubled', data }, since);
        told = since;
      }
      await node.tell({ type: 'LogRecovered', data: { troubledAt: since } });
    },
    onTrouble: ({ cause }) =>
      logger.error({ code: cause.code, cause: wordsOf(cause) }, wordsFor(cause)),
    onRecovered: ({ since }) =>
      logger.info(
        { troubledMs: clock.now() - since },
        'the log can be written again: letters are taken and delivered',
      ),
  });
  troubles$.subscribe((trouble) => health.note(trouble));
  return health;
}

const wordsFor = ({ code }: Trouble): string =>
  code === 'log-broken'
    ? 'nothing is written to the log any more: see to its disk, then restart; the start checks the log before it writes. Until then doors answer 451 and deliveries pause'
    : 'the log cannot be written: doors answer 451 or 452 and deliveries pause until it can';

/** Runs it again and again until the log has taken it; other errors than the log's pass. */
export async function surely<T>(health: LogHealth, run: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await run();
    } catch (cause) {
      if (!isTrouble(cause) || !isLogTrouble(cause)) throw cause;
      health.note(cause);
      await firstValueFrom(health.well$);
    }
  }
}

/** Troubles of the log have been told already; all others are. */
export const unlessTold =
  (health: LogHealth, tell: (cause: unknown) => void) =>
  (cause: unknown): void => {
    const isTold = isTrouble(cause) && isLogTrouble(cause) && health.trouble !== undefined;
    if (!isTold) tell(cause);
  };

/** How long whoever stops still hopes for the end of a trouble. */
const hopeMs = 5_000;

/** Whether verdicts that wait for the log since then wait in vain. */
export const isHopeless = (
  trouble: LogTrouble | undefined,
  waitingSince: Instant,
  now: Instant,
): boolean =>
  trouble !== undefined &&
  (trouble.cause.code === 'log-broken' || now - Math.max(trouble.since, waitingSince) > hopeMs);

/** Why no letter from outside can be taken now: the log is in trouble, or there is too little room. */
export function refusalOf(
  health: LogHealth,
  room: () => Trouble | undefined,
  logger: Logger,
): () => Trouble | undefined {
  let told = false;
  const tell = nowAndThen(systemClock, (cause) => {
    told = true;
    logger.warn({ cause: wordsOf(cause) }, 'letters are turned away for want of room');
  });
  return () => {
    if (health.trouble !== undefined) return health.trouble.cause;
    const little = room();
    if (little !== undefined) tell(little);
    else if (told) {
      told = false;
      logger.info({}, 'there is room for letters again');
    }
    return little;
  };
}
