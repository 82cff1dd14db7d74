/** What an engine has besides its log and its queue: settings, the node's own events, the log's health, the agenda. */
import { ContainerModule } from 'inversify';
import { hostname } from 'node:os';
import { Subject } from 'rxjs';
import type { Config } from '../control/config.ts';
import { controlsInForce, type ControlsInForce } from '../control/in-force.ts';
import { openNodeLog } from '../control/node-log.ts';
import { refusalLog } from '../ingress/refusal-log.ts';
import { systemClock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { keepAgenda } from '../queue/agenda-keeper.ts';
import { complain } from './complain.ts';
import { checkpointFile } from './log.modules.ts';
import { unlessTold, watchLog } from './log-watch.ts';
import type { Handed } from './roles/handed.ts';
import { tellReplay } from './tell-replay.ts';
import * as t from './tokens.ts';

export const engineModule = (
  config: Config,
  logger: Logger,
  handed: Handed,
  refusalsPerMinute: () => number,
): ContainerModule =>
  new ContainerModule(({ bind }) => {
    bind(t.ConfigToken).toConstantValue(config);
    bind(t.Clock).toConstantValue(systemClock);
    bind(t.Logger).toConstantValue(logger);
    bind(t.Controls).toConstantValue(controlsInForce(handed.controls, config.controlDir));
    bind(t.Node)
      .toResolvedValue(
        (log, controls) => openNodeLog(log, nodeName(config, controls), systemClock),
        [t.EventLog, t.Controls],
      )
      .inSingletonScope();
    bind(t.LogTroubles).toConstantValue(new Subject());
    bind(t.Health)
      .toResolvedValue(
        (troubles$, node, hasRoom) =>
          watchLog({ troubles$, node, hasRoom, clock: systemClock, logger }),
        [t.LogTroubles, t.Node, t.HasRoom],
      )
      .inSingletonScope();
    bind(t.RefusalLog)
      .toResolvedValue(
        (log, health) =>
          refusalLog({
            ...{ log, clock: systemClock },
            // What cannot be written now is counted, and the count written later.
            perMinute: () => (health.trouble === undefined ? refusalsPerMinute() : 0),
            onTrouble: unlessTold(health, complain(logger, 'refusal not recorded')),
          }),
        [t.EventLog, t.Health],
      )
      .inSingletonScope();
    bind(t.Keeper)
      .toResolvedValue(
        (log, { isMine, ledger }) =>
          keepAgenda({
            log,
            ...(isMine === undefined ? {} : { isMine }),
            ...(ledger === undefined ? {} : { beside: ledger }),
            ...(config.log.engine === 'memory' ? {} : { file: checkpointFile }),
            ...tellReplay(logger),
            onThrownAway: (why) => logger.warn({ why }, 'checkpoint thrown away'),
          }),
        [t.EventLog, t.Nodes],
      )
      .inSingletonScope();
  });

/** By which the node's own events go; others that share the log have other names. */
export const nodeName = ({ nodes, log }: Config, { current }: ControlsInForce): string =>
  nodes.name ?? (log.eventStore === undefined ? current.controls.me : undefined) ?? hostname();
