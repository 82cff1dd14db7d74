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
    const link = steadyLink('desk');
    const stopped = new AbortController();
    const states: States = new Map();
    const present = new LiveAgenda();
    const resting = restUnlessLookedAt(states);
    let password = given.handed.deskPassword;
    const opened = openLog(logger, stopped.signal);
    const following = follow(opened, { present, rest: resting.rest, logger, given, states });
    const page = opened.then((log) => {
      const rest = resting.always;
      const views = openViews({ log: log.log, directory: viewsConsumer.name, rest });
      const own = { views, present, preparing: resting.preparing };
      const deep = { opened: log, link, logger, rest };
      return openDeskPage({ config, given, password: () => password, ...deep, ...own });
    });
    const gateway = opened.then(({ log }) =>
      openGatewayAt(config, given.handed, () => password, log, logger),
    );
    const unlessStopped = (what: string) => (cause: unknown) => {
      if (!stopped.signal.aborted) logger.error({ cause: wordsOf(cause) }, what);
    };
    page.catch(unlessStopped('no web page'));
    gateway.catch(unlessStopped('no gateway'));
    return {
      // All else that it obeys is read once, at its start.
      async reload({ deskPassword }) {
        if (deskPassword === password) return;
        password = deskPassword;
        for (const door of [page, gateway]) {
          void door.then(
            (open) => open?.hangUp(),
            () => undefined,
          );
        }
      },
      async stop() {
        stopped.abort();
        await Promise.all([closed(page), closed(gateway)]);
        following.unsubscribe();
        link.close();
        await closed(opened);
      },
    };
  };

/** What did not open need not be closed. */
const closed = (opening: Promise<{ close(): unknown } | undefined>): Promise<unknown> =>
  opening.then(
    (opened) => opened?.close(),
    () => undefined,
  );

type Following = Omit<KeptParts, 'log'> & { readonly present: LiveAgenda };

/** All consumers at once, each on its own: whatever fails fails alone. */
const follow = (opened: ReturnType<OpenDeskLog>, { present, ...parts }: Following): Subscription =>
  from(opened)
    .pipe(
      // The log is opened once: there is nothing to switch from.
      switchMap(({ patient, consumers }) =>
        merge(
          ...[...deskConsumers(present), ...consumers].map((consumer) =>
            kept(consumer, { ...parts, log: patient }),
          ),
        ),
      ),
    )
    .subscribe({ error: () => undefined });

/** Somebody looks at a page that lacks something: then only the lowest priority gives way. */
function restUnlessLookedAt(states: States) {
  const way = giveWay(shareOfReading);
  let lookedAt = -Infinity;
  return {
    rest: (): Promise<void> =>
      performance.now() - lookedAt < lookedMs ? turnOfTheLoop() : way.rest(),
    always: way.rest,
    /** Asked by a page that is being looked at. */
    preparing(): readonly Preparing[] {
      const lacking = unfinished(states);
      if (lacking.length > 0) lookedAt = performance.now();
      return lacking;
    },
  };
}

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
