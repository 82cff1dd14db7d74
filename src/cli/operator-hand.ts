/**
 * The way of an operator's order into the log: through the engine where one runs, else as the log's
 * writer for a moment, under the same lock and by the same decider.
 */
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectLink } from '../composition/links/sockets.ts';
import { openNodeLog } from '../control/node-log.ts';
import type { EventLog } from '../log/ports.ts';
import { isTrouble } from '../mail/trouble.ts';
import { systemClock } from '../platform/clock.ts';
import { errnoOf } from '../platform/errno.ts';
import type { Link } from '../platform/link.ts';
import { openLetters } from '../queue/letters.ts';
import { openOperator, type Operator } from '../queue/operator.ts';
import type { DataFiles } from './places.ts';

export type OperatorHand = Operator & {
  retryAll(by: string, why: string): Promise<void>;
  close(): Promise<void>;
};

/** An engine that is just starting holds the lock before it answers; one that stops, after. */
const patienceMs = 10_000;
const answerMs = 60_000;

/** Changes to the data directory: a socket's path must be short. Throws `log-in-use` when nobody answers in time. */
export async function takeHand({
  files,
  writer,
}: {
  readonly files: DataFiles;
  /** Throws `log-in-use`. */
  readonly writer: () => Promise<EventLog>;
}): Promise<OperatorHand> {
  process.chdir(files.directory);
  const until = performance.now() + patienceMs;
  for (;;) {
    const link = await engineLink();
    if (link !== undefined) return throughEngine(link);
    try {
      return alone(await writer());
    } catch (cause) {
      if (!isTrouble(cause, 'log-in-use') || performance.now() > until) throw cause;
      await sleep(100);
    }
  }
}

async function engineLink(): Promise<Link | undefined> {
  try {
    return await connectLink('control');
  } catch (cause) {
    // A socket file without a listener is what a killed engine leaves behind; `link-down`: it is stopping.
    if (isTrouble(cause, 'link-down')) return undefined;
    if (['ENOENT', 'ECONNREFUSED'].includes(errnoOf(cause) ?? '')) return undefined;
    throw cause;
  }
}

const throughEngine = (link: Link): OperatorHand => ({
  act: async (request) =>
    (await link.request('operate', request, { timeoutMs: answerMs })).value as number,
  retryAll: async (by, why) => {
    await link.request('retry-all', { by, why }, { timeoutMs: answerMs });
  },
  close: async () => link.close(),
});

const alone = (log: EventLog): OperatorHand => ({
  ...openOperator(openLetters({ log }), systemClock),
  retryAll: (by, why) =>
    openNodeLog(log, hostname(), systemClock).tell({
      type: 'RetryAllRequested',
      data: { by, why },
    }),
  close: () => log.close(),
});
