/** The history of the queue as the desk keeps it. */
import type { LogConsumer } from '../log/consumer.ts';
import { keepHistory } from './history.ts';
import type { LiveAgenda } from './live-agenda.ts';
import { historyFolder } from './ports.ts';

export const historyConsumer = (live: LiveAgenda): LogConsumer => ({
  name: historyFolder,
  follow: ({ log, directory, rest, logger }) =>
    keepHistory({
      ...{ log, directory, rest, live },
      onTrouble: (words) => logger.warn({ consumer: historyFolder }, words),
    }),
});
