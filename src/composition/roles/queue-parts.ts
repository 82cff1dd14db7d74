/** The parts of the role `queue`, put together once and known by name; nobody else of the role asks the container. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Container, type ContainerModule } from 'inversify';
import type { Config } from '../../control/config.ts';
import { isTrouble } from '../../mail/trouble.ts';
import { wordsOf, type Logger } from '../../platform/logger.ts';
import { engineModule } from '../engine.module.ts';
import { hubModule } from '../hub.module.ts';
import { logModule } from '../log.modules.ts';
import { nodesModule } from '../nodes.module.ts';
import { queueModule } from '../queue.module.ts';
import * as t from '../tokens.ts';
import type { Handed } from './handed.ts';

/** How long a start waits for the locks of a predecessor that is just going away. */
const lockPatienceMs = 10_000;

/** A person at a terminal should know by then what is waited for. */
const quietMs = 1_000;

export type QueueParts = Awaited<ReturnType<typeof assembleQueue>>;

/** Rejects with `log-in-use` when another engine stays, and as the engine of the log does when that cannot be opened. */
export async function assembleQueue(given: {
  readonly config: Config;
  readonly logger: Logger;
  readonly handed: Handed;
  /** Absent: what the configuration names, loaded now. */
  readonly engine: ContainerModule | undefined;
  readonly refusalsPerMinute: () => number;
}) {
  const { config, logger, handed, engine, refusalsPerMinute } = given;
  const container = new Container();
  container.load(
    engine ?? (await logModule(config)),
    engineModule(config, logger, handed, refusalsPerMinute),
    nodesModule(config),
    queueModule,
    hubModule,
  );
  // These two take the locks; all the others stand on them.
  const log = await withPatience(() => container.get(t.EventLog), logger);
  const nodes = await withPatience(() => container.get(t.Nodes), logger);
  return {
    ...{ config, logger, log, nodes },
    cleared: container.get(t.ClearedLog),
    controls: container.get(t.Controls),
    node: container.get(t.Node),
    health: container.get(t.Health),
    refusalLog: container.get(t.RefusalLog),
    spool: container.get(t.Spool),
    sweep: container.get(t.Sweep),
    keeper: container.get(t.Keeper),
    letters: container.get(t.Letters),
    scheduler: container.get(t.Scheduler),
    dispatch$: container.get(t.Dispatch),
    doubts$: container.get(t.Doubts),
    bounces$: container.get(t.Bounces),
    hub: container.get(t.Hub),
    dropBox: container.get(t.DropBox),
  };
}

async function withPatience<T>(open: () => T, logger: Logger): Promise<T> {
  const since = performance.now();
  for (let told = false; ;) {
    try {
      return open();
    } catch (cause) {
      const waited = performance.now() - since;
      if (!isTrouble(cause, 'log-in-use') || waited > lockPatienceMs) throw cause;
      if (!told && waited > quietMs) {
        logger.warn({ cause: wordsOf(cause) }, 'waiting for an engine that was here before');
        told = true;
      }
      await sleep(50);
    }
  }
}
