/** What is tried again by itself: said in our own log, now and then, with how often it was. */
import { systemClock } from '../platform/clock.ts';
import { wordsOf, type Logger } from '../platform/logger.ts';
import { nowAndThen } from '../platform/now-and-then.ts';

export const complain = (logger: Logger, what: string) =>
  nowAndThen(systemClock, (cause, kept) =>
    logger.error({ cause: wordsOf(cause), ...(kept > 0 && { times: kept + 1 }) }, what),
  );
