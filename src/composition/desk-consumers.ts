/** What the desk keeps, a line each; any of them can be thrown away and computed again. */
import type { LogConsumer } from '../log/consumer.ts';
import { historyConsumer } from '../past/consumer.ts';
import type { LiveAgenda } from '../past/live-agenda.ts';
import { viewsConsumer } from '../views/consumer.ts';

export const deskConsumers = (live: LiveAgenda): readonly LogConsumer[] => [
  viewsConsumer,
  historyConsumer(live),
];
