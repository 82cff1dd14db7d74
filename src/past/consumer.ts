/** The history of the queue as the desk keeps it. */
import type { LogConsumer } from '../log/consumer.ts';
import { keepHistory } from './history.ts';
import { historyFolder } from './ports.ts';

export const historyConsumer: LogConsumer = {
  name: historyFolder,
  follow: ({ log, directory, rest, logger }) =>
    keepHistory({
      log,
      directory,
      rest,
      onTrouble: (words) => logger.warn({ consumer: historyFolder }, words),
    }),
};
