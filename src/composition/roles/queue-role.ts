/**
 * The role `queue`: the only writer of log and spool. Serves the doors from the first moment; begins
 * to deliver when the agenda has caught up with the log and attempts in doubt are settled.
 */
import type { ContainerModule } from 'inversify';
import { mkdirSync } from 'node:fs';
import { filter, firstValueFrom } from 'rxjs';
import type { Config } from '../../control/config.ts';
import type { Logger } from '../../platform/logger.ts';
import { removals } from '../../spool/removals.ts';
import { complain } from '../complain.ts';
import type { LinkHub } from '../links/hub.ts';
import { surely } from '../log-watch.ts';
import type { Handed } from './handed.ts';
import { assembleQueue, type QueueParts } from './queue-parts.ts';
import { stopQueue } from './queue-stop.ts';
import { tellControls, tellStart } from './queue-story.ts';
import { keepTidy } from './queue-tidying.ts';
import { beginWork } from './queue-work.ts';
import type { Running } from './running.ts';

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
  const refusalsPerMinute = (): number => door.refusalsPerMinute;
  const parts = await assembleQueue({ config, logger, handed, engine, refusalsPerMinute });
  const begun = tellStart(parts);
  await toldOrTroubled(begun, parts);

  const bodies = removals(parts.spool, complain(logger, 'bodies not removed'));
  const work = beginWork(parts, begun, bodies);
  const tidying = keepTidy(parts, bodies);
  openDropBox(begun, parts);

  let stopping: Promise<void> | undefined;
  const stop = (why: string) => (stopping ??= stopQueue(parts, { work, tidying, why }));
  work.running.add(parts.nodes.lost$.subscribe(() => giveUp(parts, stop)));
  return {
    hub: parts.hub,
    ...heard(parts),
    async reload(newly, newConfig) {
      parts.controls.reload(newly.controls);
      ({ door } = newConfig);
      parts.scheduler.stir();
      await tellControls(parts);
    },
    stop,
  };
}

/** A full disk is not waited for: doors then say 452, which is better than nothing. */
async function toldOrTroubled(begun: Promise<void>, { health }: QueueParts): Promise<void> {
  begun.catch(() => undefined);
  await Promise.race([begun, firstValueFrom(health.trouble$.pipe(filter(Boolean)))]);
}

/** After the rules of the day are in the log, or the letters would say which rules nobody knows. */
function openDropBox(begun: Promise<void>, { dropBox }: QueueParts): void {
  void begun.then(
    () => dropBox.open(),
    () => undefined,
  );
}

/** What `start` has to tell, as events. */
const heard = ({ health, node }: QueueParts): Required<Pick<Running, 'retryAll' | 'roleLost'>> => ({
  async retryAll(by, why) {
    await surely(health, () => node.tell({ type: 'RetryAllRequested', data: { by, why } }));
  },
  async roleLost(role, pid, how) {
    await surely(health, () => node.tell({ type: 'RoleLost', data: { role, pid, how } }));
  },
});

function giveUp({ logger }: QueueParts, stop: (why: string) => Promise<void>): void {
  logger.error({}, 'another node has taken our lease and goes on with our letters: starting anew');
  void stop('lease taken').finally(() => process.exit(111));
}
