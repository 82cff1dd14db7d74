/** What the desk keeps, a line each; any of them can be thrown away and computed again. */
import type { LogConsumer } from '../log/consumer.ts';
import { historyConsumer } from '../past/consumer.ts';
import { viewsConsumer } from '../views/consumer.ts';

export const deskConsumers: readonly LogConsumer[] = [viewsConsumer, historyConsumer];
