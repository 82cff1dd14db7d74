/**
 * The role `queue`: the only writer of log and spool. Serves the doors from the first moment; begins
 * to deliver when the agenda has caught up with the log and attempts in doubt are settled.
 */
import { Container, ContainerModule } from 'inversify';
import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Subscription } from 'rxjs';
import type { Config } from '../../control/config.ts';
import { controlsIn } from '../../control/in-force.ts';
import { openNodeLog } from '../../control/node-log.ts';
import { refusalLog } from '../../ingress/refusal-log.ts';
import { isTrouble } from '../../mail/trouble.ts';
import { systemClock } from '../../platform/clock.ts';
import type { Handlers } from '../../platform/link.ts';
import { wordsOf, type Logger } from '../../platform/logger.ts';
import { keepAgenda } from '../../queue/agenda-keeper.ts';
import { resolveDoubts } from '../../queue/recovery.ts';
import { removals } from '../../spool/removals.ts';
import { openHub, type LinkHub } from '../links/hub.ts';
import { serveIntake } from '../links/intake-link.ts';
import { serveBodies } from '../links/order-link.ts';
import { checkpointFile, memoryModule, sqliteModule } from '../log.modules.ts';
import { queueModule } from '../queue.module.ts';
import * as t from '../tokens.ts';
import { version } from '../version.ts';
import type { Running } from './running.ts';

/** How long a start waits for the lock of a predecessor that is just going away. */
const lockPatienceMs = 10_000;

/** How often bodies are removed and the need for a checkpoint is looked at. */
const tidyMs = 2_000;

/** How long TERM waits for attempts under way; after it they are in doubt at the next start. */
const drainMs = 60_000;

/** Besides: the switchboard, for whoever accepts the connections of the other roles. */
export type QueueRunning = Running & { readonly hub: LinkHub };

/** Must be called with the data directory as working directory. */
export async function runQueue(config: Config, logger: Logger): Promise<QueueRunning> {
  mkdirSync('checkpoints', { recursive: true, mode: 0o700 });
  const container = new Container();
  const engine = config.log.engine === 'memory' ? memoryModule : sqliteModule;
  container.load(engine, base(config, logger), queueModule, hubModule);
  const log = await withPatience(() => container.get(t.EventLog));
  const controls = container.get(t.Controls);
  const node = container.get(t.Node);
  const keeper = container.get(t.Keeper);
  const scheduler = container.get(t.Scheduler);
  const hub = container.get(t.Hub);
  const bodies = removals(container.get(t.Spool), complain(logger, 'bodies not removed'));

  await node.tell({
    type: 'NodeStarted',
    data: {
      node: controls.current.controls.me ?? hostname(),
      version,
      pid: process.pid,
      host: hostname(),
    },
  });
  const tellControls = () => {
    const { digest, files } = controls.current;
    return node.tell({ type: 'ControlsLoaded', data: { digest, files } });
  };
  await tellControls();

  const running: Subscription[] = [];
  // Without its agenda or its pipelines the queue is better started anew; a crash loses nothing.
  const fatal = (what: string) => (cause: unknown) => {
    logger.error({ cause: wordsOf(cause) }, `${what} stopped`);
    process.exit(111);
  };
  running.push(keeper.follow$.subscribe({ error: fatal('agenda') }));
  const started = keeper.caughtUp.then(async () => {
    const recovered = await resolveDoubts({
      agenda: keeper.agenda,
      letters: container.get(t.Letters),
      policy: config.log.inDoubt,
      clock: systemClock,
    });
    for (const message of recovered.unreadable) scheduler.park(message);
    if (recovered.inDoubt > 0) logger.warn({ attempts: recovered.inDoubt }, 'attempts in doubt');
    running.push(
      hub.changed$.subscribe(() => scheduler.stir()),
      container.get(t.Dispatch).subscribe({ error: fatal('dispatch') }),
      container.get(t.Bounces).subscribe({ error: fatal('bounces') }),
      keeper.ended$.subscribe((id) => bodies.add(id)),
    );
    scheduler.start();
    const { rows, owing } = keeper.agenda;
    await container.get(t.Sweep)((id) => rows.has(id) || owing.has(id));
  });
  started.catch(fatal('recovery'));
  // Removals first: what a checkpoint has folded in is not heard of again.
  const tidy = async (force: boolean): Promise<void> => {
    await bodies.flush().catch(complain(logger, 'bodies not removed'));
    await keeper.checkpoint(force).catch(complain(logger, 'no checkpoint'));
  };
  const tidying = setInterval(() => void tidy(false), tidyMs);

  return {
    hub,
    async reload() {
      controls.reload();
      await tellControls();
      scheduler.stir();
    },
    async retryAll(by, why) {
      await node.tell({ type: 'RetryAllRequested', data: { by, why } });
    },
    async roleLost(role, pid, how) {
      await node.tell({ type: 'RoleLost', data: { role, pid, how } });
    },
    async stop(why) {
      clearInterval(tidying);
      scheduler.stop();
      await drained(() => scheduler.active.local + scheduler.active.remote, drainMs);
      for (const subscription of running.splice(1)) subscription.unsubscribe();
      container.get(t.RefusalLog).close();
      const open = keeper.agenda.rows.recipients;
      await node.tell({ type: 'NodeStopped', data: { why, open } });
      // The agenda hears of the last events in the next turns; then the checkpoint holds them all.
      await new Promise((resolve) => setTimeout(resolve, 20));
      await tidy(true);
      for (const subscription of running) subscription.unsubscribe();
      await log.close();
    },
  };
}

const base = (config: Config, logger: Logger): ContainerModule =>
  new ContainerModule(({ bind }) => {
    bind(t.ConfigToken).toConstantValue(config);
    bind(t.Clock).toConstantValue(systemClock);
    bind(t.Logger).toConstantValue(logger);
    bind(t.Controls).toConstantValue(controlsIn(config.controlDir));
    bind(t.Node)
      .toResolvedValue(
        (log, controls) =>
          openNodeLog(log, controls.current.controls.me ?? hostname(), systemClock),
        [t.EventLog, t.Controls],
      )
      .inSingletonScope();
    bind(t.RefusalLog)
      .toResolvedValue(
        (log) =>
          refusalLog({
            ...{ log, clock: systemClock },
            perMinute: () => config.door.refusalsPerMinute,
            onTrouble: complain(logger, 'refusal not recorded'),
          }),
        [t.EventLog],
      )
      .inSingletonScope();
    bind(t.Keeper)
      .toResolvedValue(
        (log) =>
          keepAgenda({
            log,
            ...(config.log.engine === 'memory' ? {} : { file: checkpointFile }),
            onProgress: (position, head) => logger.info({ position, head }, 'replaying the log'),
            onThrownAway: (why) => logger.warn({ why }, 'checkpoint thrown away'),
          }),
        [t.EventLog],
      )
      .inSingletonScope();
  });

const hubModule = new ContainerModule(({ bind }) => {
  bind(t.Hub)
    .toResolvedValue(
      (spool, intake, operator, node, refusals, logger) => {
        const doors = serveIntake(intake, spool);
        const bodies: Handlers = serveBodies(spool);
        return openHub({
          ...{ intake: doors, bodies, operator, logger },
          retryAll: (by, why) => node.tell({ type: 'RetryAllRequested', data: { by, why } }),
          refusals,
          status: () => ({ pid: process.pid, version }),
        });
      },
      [t.Spool, t.Intake, t.Operator, t.Node, t.RefusalLog, t.Logger],
    )
    .inSingletonScope();
});

const complain = (logger: Logger, what: string) => (cause: unknown) =>
  logger.error({ cause: wordsOf(cause) }, what);

async function withPatience<T>(open: () => T): Promise<T> {
  const until = Date.now() + lockPatienceMs;
  for (;;) {
    try {
      return open();
    } catch (cause) {
      if (!isTrouble(cause, 'log-in-use') || Date.now() > until) throw cause;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Resolves when `count` is 0, or after `limitMs`. */
async function drained(count: () => number, limitMs: number): Promise<void> {
  const until = Date.now() + limitMs;
  while (count() > 0 && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
