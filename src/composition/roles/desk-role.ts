/**
 * The role `desk`: watches. Reads the log, keeps what it computes from it (`views/`, `past/`), serves the
 * web page. Never writes the log: an operator's orders go to the queue. The mail does without it: it runs
 * at the lowest priority, and whatever fails here fails alone.
 */
import { mkdirSync } from 'node:fs';
import { defer, from, merge, retry, switchMap, tap, timer, type Subscription } from 'rxjs';
import { giveWay, shareOfReading } from '../../cli/giving-way.ts';
import type { Config } from '../../control/config.ts';
import type { Preparing } from '../../desk/ports.ts';
import { LiveAgenda } from '../../past/live-agenda.ts';
import { historyFolder } from '../../past/ports.ts';
import type { ConsumerState, FollowedLog, LogConsumer } from '../../log/consumer.ts';
import { errnoOf } from '../../platform/errno.ts';
import { wordsOf, type Logger } from '../../platform/logger.ts';
import { openViews } from '../../views/open-views.ts';
import { viewsConsumer } from '../../views/consumer.ts';
import { deskConsumers } from '../desk-consumers.ts';
import { openEmbedded, type OpenDeskLog } from '../desk-log.ts';
import { openDeskPage } from '../desk-page.ts';
import { openGatewayAt } from '../open-gateway.ts';
import { steadyLink } from '../links/sockets.ts';
import type { Given } from './given.ts';
import type { Running } from './running.ts';

/** Between two tries of a consumer that fails. */
const shortestPauseMs = 1_000;
const longestPauseMs = 300_000;
/** One that ran so long is forgiven its failures. */
const forgivenMs = 60_000;

/** Somebody who looks asks every few seconds. */
const lookedMs = 10_000;

/** Pages have their turn between two pieces of work. */
const turnOfTheLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

type Run = (config: Config, logger: Logger, given: Given) => Promise<Running>;

/** The role with its way to the log, which reads credentials and loads its code now or never. */
export async function loadDesk({ log, desk, dir }: Config): Promise<Run> {
  const { eventStore } = log;
  if (eventStore === undefined) return runWith(openEmbedded);
  const { dialForDesk } = await import('../desk-event-store.ts');
  const credentialsFile = desk.credentialsFile ?? eventStore.credentialsFile;
  return runWith(await dialForDesk({ ...eventStore, credentialsFile }, dir));
}

const runWith =
  (openLog: OpenDeskLog): Run =>
  async (config, logger, given) => {
    const way = giveWay(shareOfReading);
    // Somebody looks at a page that lacks something: then only the lowest priority gives way.
    let lookedAt = -Infinity;
    const rest = (): Promise<void> =>
      performance.now() - lookedAt < lookedMs ? turnOfTheLoop() : way.rest();
    const link = steadyLink('desk');
    const stopped = new AbortController();
    const states: States = new Map();
    const present = new LiveAgenda();
    const opened = openLog(logger, stopped.signal);
    const following: Subscription = from(opened)
      .pipe(
        switchMap(({ patient, consumers }) =>
          merge(
            ...[...deskConsumers(present), ...consumers].map((consumer) =>
              kept(consumer, { log: patient, rest, logger, given, states }),
            ),
          ),
        ),
      )
      .subscribe({ error: () => undefined });
    const page = opened.then((log) => {
      const views = openViews({ log: log.log, directory: viewsConsumer.name, rest: way.rest });
      const preparing = () => {
        const lacking = unfinished(states);
        if (lacking.length > 0) lookedAt = performance.now();
        return lacking;
      };
      const own = { views, present, preparing };
      const parts = { config, given, opened: log, ...own, link, logger, rest: way.rest };
      return openDeskPage(parts);
    });
    page.catch((cause: unknown) => {
      if (!stopped.signal.aborted) logger.error({ cause: wordsOf(cause) }, 'no web page');
    });
    const gateway = opened.then(({ log }) => openGatewayAt(config, given.handed, log, logger));
    gateway.catch((cause: unknown) => {
      if (!stopped.signal.aborted) logger.error({ cause: wordsOf(cause) }, 'no gateway');
    });
    return {
      // What it obeys is read once, at its start.
      reload: async () => undefined,
      async stop() {
        stopped.abort();
        await Promise.all(
          [page, gateway].map((serving) =>
            serving.then(
              (served) => served?.close(),
              () => undefined,
            ),
          ),
        );
        following.unsubscribe();
        link.close();
        await opened.then(
          (log) => log.close(),
          () => undefined,
        );
      },
    };
  };

type States = Map<string, ConsumerState | 'failed'>;

/** So few events are folded by whoever asks, too. */
const fewEvents = 100_000;

/** What is computed for the first time, or again. Of what has not begun yet nobody knows how much there is. */
function unfinished(states: States): readonly Preparing[] {
  const named = { views: viewsConsumer.name, past: historyFolder } as const;
  return (['views', 'past'] as const).flatMap((what): Preparing[] => {
    const state = states.get(named[what]);
    if (state === undefined) return [{ what, position: 0, head: 1 }];
    if (state === 'failed' || state.rebuilding !== true) return [];
    const { position, head, events = Infinity } = state;
    const left = ((head - position) * events) / Math.max(1, position);
    return what === 'past' && left < fewEvents ? [] : [{ what, position, head }];
  });
}

type KeptParts = {
  readonly log: FollowedLog;
  readonly rest: () => Promise<void>;
  readonly logger: Logger;
  readonly given: Pick<Given, 'needFolder'>;
  readonly states: States;
};

/** A consumer that fails begins again, ever more slowly, where its state says. */
function kept({ name, follow }: LogConsumer, { logger, given, states, ...parts }: KeptParts) {
  let failures = 0;
  let begunAt = 0;
  return defer(() => {
    begunAt = performance.now();
    makeFolder(name, given);
    return follow({ ...parts, logger, directory: name });
  }).pipe(
    tap((state) => states.set(name, state)),
    retry({
      delay: (cause) => {
        states.set(name, 'failed');
        if (performance.now() - begunAt > forgivenMs) failures = 0;
        const pauseMs = Math.min(longestPauseMs, shortestPauseMs * 2 ** failures);
        failures += 1;
        logger.error({ consumer: name, cause: wordsOf(cause), pauseMs }, 'a consumer failed');
        return timer(pauseMs);
      },
    }),
  );
}

/** In root's directory nobody but `start` makes folders: it is asked, and the next try finds one. */
function makeFolder(name: string, { needFolder }: Pick<Given, 'needFolder'>): void {
  try {
    mkdirSync(name, { recursive: true, mode: 0o700 });
  } catch (cause) {
    if (errnoOf(cause) === 'EACCES') needFolder?.(name);
    throw cause;
  }
}
