/**
 * The role `desk`: watches. Reads the log, keeps what it computes from it (`views/`, `past/`), serves the
 * web page. Never writes the log: an operator's orders go to the queue. The mail does without it: it runs
 * at the lowest priority, and whatever fails here fails alone.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { defer, from, retry, switchMap, timer, type Subscription } from 'rxjs';
import { giveWay, shareOfReading } from '../../cli/giving-way.ts';
import type { Config } from '../../control/config.ts';
import type { LogConsumer } from '../../log/consumer.ts';
import { openReader, type ReadOnlyLog } from '../../log/sqlite/open-reader.ts';
import { wordsOf, type Logger } from '../../platform/logger.ts';
import { openViews } from '../../views/open-views.ts';
import { viewsConsumer } from '../../views/consumer.ts';
import { deskConsumers } from '../desk-consumers.ts';
import { openDeskPage } from '../desk-page.ts';
import { openGatewayAt } from '../open-gateway.ts';
import { logFile } from '../log.modules.ts';
import { steadyLink } from '../links/sockets.ts';
import type { Given } from './given.ts';
import type { Running } from './running.ts';

/** The queue makes the log at the first start, and may be a moment behind. */
const lookForLogMs = 200;

/** Between two tries of a consumer that fails. */
const shortestPauseMs = 1_000;
const longestPauseMs = 300_000;

export async function runDesk(config: Config, logger: Logger, given: Given): Promise<Running> {
  const way = giveWay(shareOfReading);
  const link = steadyLink('desk');
  const stopped = new AbortController();
  const opened = openWhenThere(logger, stopped.signal);
  const following: Subscription[] = deskConsumers.map((consumer) =>
    from(opened)
      .pipe(switchMap((log) => kept(consumer, { log, rest: way.rest, logger })))
      .subscribe({ error: () => undefined }),
  );
  const page = opened.then((log) => {
    const views = openViews({ log, directory: viewsConsumer.name, rest: way.rest });
    return openDeskPage({ config, given, log, views, link, logger, rest: way.rest });
  });
  page.catch((cause: unknown) => {
    if (!stopped.signal.aborted) logger.error({ cause: wordsOf(cause) }, 'no web page');
  });
  const gateway = opened.then((log) => openGatewayAt(config, given.handed, log, logger));
  gateway.catch((cause: unknown) => {
    if (!stopped.signal.aborted) logger.error({ cause: wordsOf(cause) }, 'no gateway');
  });
  return {
    // What it obeys is read once, at its start.
    reload: async () => undefined,
    async stop() {
      stopped.abort();
      await page.then(
        (desk) => desk?.close(),
        () => undefined,
      );
      await gateway.then(
        (serving) => serving?.close(),
        () => undefined,
      );
      for (const subscription of following) subscription.unsubscribe();
      link.close();
      await opened.then(
        (log) => log.close(),
        () => undefined,
      );
    },
  };
}

/** A consumer that fails begins again, ever more slowly, where its state says. */
function kept(
  { name, follow }: LogConsumer,
  { logger, ...parts }: { log: ReadOnlyLog; rest: () => Promise<void>; logger: Logger },
) {
  let failures = 0;
  return defer(() => {
    mkdirSync(name, { recursive: true, mode: 0o700 });
    return follow({ ...parts, logger, directory: name });
  }).pipe(
    retry({
      delay: (cause) => {
        const pauseMs = Math.min(longestPauseMs, shortestPauseMs * 2 ** failures);
        failures += 1;
        logger.error({ consumer: name, cause: wordsOf(cause), pauseMs }, 'a consumer failed');
        return timer(pauseMs);
      },
    }),
  );
}

async function openWhenThere(logger: Logger, signal: AbortSignal): Promise<ReadOnlyLog> {
  // Beside the file: what readers share with the queue, and may not make themselves.
  while (![logFile, `${logFile}-wal`, `${logFile}-shm`].every((file) => existsSync(file))) {
    await sleep(lookForLogMs, undefined, { signal });
  }
  return openReader(logFile, {
    pollMs: pollMs,
    onDamage: (damage) => logger.error({ damage }, 'damaged event left out'),
  });
}

/** How often the log is asked for news. */
const pollMs = 250;
