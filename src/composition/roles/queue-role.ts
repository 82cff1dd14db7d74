/**
 * The role `queue`: the only writer of log and spool. Serves the doors from the first moment; begins
 * to deliver when the agenda has caught up with the log and attempts in doubt are settled.
 */
import { Container, type ContainerModule } from 'inversify';
import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { filter, firstValueFrom, type Subscription } from 'rxjs';
import type { Config } from '../../control/config.ts';
import { isTrouble } from '../../mail/trouble.ts';
import { systemClock } from '../../platform/clock.ts';
import { wordsOf, type Logger } from '../../platform/logger.ts';
import { resolveDoubts } from '../../queue/recovery.ts';
import { removals } from '../../spool/removals.ts';
import { complain } from '../complain.ts';
import { engineModule, nodeName } from '../engine.module.ts';
import { hubModule } from '../hub.module.ts';
import type { LinkHub } from '../links/hub.ts';
import { isHopeless, surely, unlessTold } from '../log-watch.ts';
import { logModule } from '../log.modules.ts';
import { nodesModule } from '../nodes.module.ts';
import { queueModule } from '../queue.module.ts';
import * as t from '../tokens.ts';
import { version } from '../version.ts';
import type { Handed } from './handed.ts';
import type { Running } from './running.ts';

/** How long a start waits for the lock of a predecessor that is just going away. */
const lockPatienceMs = 10_000;

/** How often bodies are removed and the need for a checkpoint is looked at. */
const tidyMs = 2_000;

/** After a checkpoint that could not be written. */
const checkpointPauseMs = 60_000;

/** How long TERM waits for attempts under way; after it they are in doubt at the next start. */
const drainMs = 60_000;

/** Besides: the switchboard, for whoever accepts the connections of the other roles. */
export type QueueRunning = Running & { readonly hub: LinkHub };

/** Must be called with the data directory as working directory. */
export async function runQueue(
  config: Config,
  logger: Logger,
  handed: Handed,
  engine?: ContainerModule,
): Promise<QueueRunning> {
  mkdirSync('checkpoints', { recursive: true, mode: 0o700 });
  let { door } = config;
  const container = new Container();
  container.load(
    engine ?? (await logModule(config)),
    engineModule(config, logger, handed, () => door.refusalsPerMinute),
    nodesModule(config),
    queueModule,
    hubModule,
  );
  const log = await withPatience(() => container.get(t.EventLog));
  const nodes = await withPatience(() => container.get(t.Nodes));
  const controls = container.get(t.Controls);
  const node = container.get(t.Node);
  const keeper = container.get(t.Keeper);
  const scheduler = container.get(t.Scheduler);
  const hub = container.get(t.Hub);
  const bodies = removals(container.get(t.Spool), complain(logger, 'bodies not removed'));

  const health = container.get(t.Health);
  const tellControls = () => {
    const { digest, files } = controls.current;
    return node.tell({ type: 'ControlsLoaded', data: { digest, files } });
  };
  const begin = async (): Promise<void> => {
    const name = nodeName(config, controls);
    const data = { node: name, version, pid: process.pid, host: hostname() };
    await surely(health, () => node.tell({ type: 'NodeStarted', data }));
    const cleared = container.get(t.ClearedLog)();
    if (cleared !== undefined) {
      const { at: suspectedAt, what, head, events } = cleared;
      const verified = { suspectedAt, what, head, events };
      logger.warn(verified, 'a sync of the log had failed: looked over, and it holds');
      await surely(health, () => node.tell({ type: 'LogVerified', data: verified }));
    }
    await surely(health, tellControls);
    await surely(health, () => nodes.open());
  };
  // Not waited for when the disk is full: doors then say 452, which is better than nothing.
  const begun = begin();
  begun.catch(() => undefined);
  await Promise.race([begun, firstValueFrom(health.trouble$.pipe(filter(Boolean)))]);

  const running: Subscription[] = [];
  // Without its agenda or its pipelines the queue is better started anew; a crash loses nothing.
  const fatal = (what: string) => (cause: unknown) => {
    logger.error({ cause: wordsOf(cause) }, `${what} stopped`);
    process.exit(111);
  };
  running.push(
    nodes.follow$.subscribe({ error: fatal('nodes') }),
    container.get(t.Doubts).subscribe({ error: fatal('doubts') }),
    nodes.moved$.subscribe((message) => scheduler.reconsider(message)),
    nodes.changed$.subscribe(() => scheduler.stir()),
  );
  const following = keeper.follow$.subscribe({ error: fatal('agenda') });
  const started = keeper.caughtUp.then(async () => {
    await begun;
    const recovered = await surely(health, () =>
      resolveDoubts({
        agenda: keeper.agenda,
        letters: container.get(t.Letters),
        policy: config.log.inDoubt,
        clock: systemClock,
        ...(nodes.isMine === undefined ? {} : { isMine: nodes.isMine }),
      }),
    );
    for (const message of recovered.unreadable) scheduler.park(message);
    if (recovered.inDoubt > 0) logger.warn({ attempts: recovered.inDoubt }, 'attempts in doubt');
    running.push(
      hub.changed$.subscribe(() => scheduler.stir()),
      health.trouble$.subscribe(() => scheduler.stir()),
      container.get(t.Dispatch).subscribe({ error: fatal('dispatch') }),
      container.get(t.Bounces).subscribe({ error: fatal('bounces') }),
      keeper.ended$.subscribe((id) => bodies.add(id)),
    );
    scheduler.start();
    const { rows, owing } = keeper.agenda;
    await container
      .get(t.Sweep)((id) => rows.has(id) || owing.has(id))
      .catch(complain(logger, 'spool not swept'));
  });
  started.catch(fatal('recovery'));
  const dropBox = container.get(t.DropBox);
  // After the rules of the day are in the log, or the letters would say which rules nobody knows.
  void begun.then(
    () => dropBox.open(),
    () => undefined,
  );
  const noRemoval = unlessTold(health, complain(logger, 'bodies not removed'));
  const noCheckpoint = complain(logger, 'no checkpoint');
  let checkpointFrom = -Infinity;
  // Removals first: what a checkpoint has folded in is not heard of again.
  const tidy = async (force: boolean): Promise<void> => {
    if (health.trouble !== undefined && !force) return;
    await bodies.flush().catch(noRemoval);
    if (performance.now() < checkpointFrom && !force) return;
    await keeper.checkpoint(force).catch((cause: unknown) => {
      checkpointFrom = performance.now() + checkpointPauseMs;
      noCheckpoint(cause);
    });
  };
  const tidying = setInterval(() => void tidy(false), tidyMs);

  const stop = async (why: string): Promise<void> => {
    clearInterval(tidying);
    await dropBox.close();
    scheduler.stop();
    if (health.trouble === undefined) {
      await nodes.drain().catch(complain(logger, 'draining not recorded'));
    }
    const since = Date.now();
    const active = () => scheduler.active.local + scheduler.active.remote;
    const worthWaiting = () => (isHopeless(health.trouble, since, Date.now()) ? 0 : active());
    await drained(worthWaiting, drainMs);
    const idle = active() === 0 && health.trouble === undefined;
    await nodes.close(idle).catch(complain(logger, 'lease not closed'));
    health.close();
    for (const subscription of running) subscription.unsubscribe();
    container.get(t.RefusalLog).close();
    const open = keeper.agenda.rows.recipients;
    // A full disk may not take it; then the next start is the first to say that we stopped.
    await node
      .tell({ type: 'NodeStopped', data: { why, open } })
      .catch(complain(logger, 'stop not recorded'));
    // The agenda hears of the last events in the next turns; then the checkpoint holds them all.
    await new Promise((resolve) => setTimeout(resolve, 20));
    await tidy(true);
    following.unsubscribe();
    await log.close();
  };
  let stopping: Promise<void> | undefined;
  const stopOnce = (why: string) => (stopping ??= stop(why));
  running.push(
    nodes.lost$.subscribe(() => {
      logger.error(
        {},
        'another node has taken our lease and goes on with our letters: starting anew',
      );
      void stopOnce('lease taken').finally(() => process.exit(111));
    }),
  );

  return {
    hub,
    async reload(newly, newConfig) {
      controls.reload(newly.controls);
      ({ door } = newConfig);
      scheduler.stir();
      await surely(health, tellControls);
    },
    async retryAll(by, why) {
      await surely(health, () => node.tell({ type: 'RetryAllRequested', data: { by, why } }));
    },
    async roleLost(role, pid, how) {
      await surely(health, () => node.tell({ type: 'RoleLost', data: { role, pid, how } }));
    },
    stop: stopOnce,
  };
}

async function withPatience<T>(open: () => T): Promise<T> {
  const until = performance.now() + lockPatienceMs;
  for (;;) {
    try {
      return open();
    } catch (cause) {
      if (!isTrouble(cause, 'log-in-use') || performance.now() > until) throw cause;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Resolves when `count` is 0, or after `limitMs`. */
async function drained(count: () => number, limitMs: number): Promise<void> {
  const until = performance.now() + limitMs;
  while (count() > 0 && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
