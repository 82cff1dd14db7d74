/** Where doors, channels, programs and operators come to the queue. */
import { ContainerModule } from 'inversify';
import type { LogTrouble } from '../log/health.ts';
import type { Handlers } from '../platform/link.ts';
import { dropBoxFor } from './links/drop-box.ts';
import { openHub } from './links/hub.ts';
import { serveIntake } from './links/intake-link.ts';
import { serveBodies } from './links/order-link.ts';
import { doorForPrograms } from './links/programs-door.ts';
import { refusalOf } from './log-watch.ts';
import { refusalAmong } from './nodes.module.ts';
import * as t from './tokens.ts';
import { version } from './version.ts';

export const hubModule = new ContainerModule(({ bind }) => {
  bind(t.Refusal)
    .toResolvedValue(
      (nodes, health, room, logger) => refusalAmong(nodes, refusalOf(health, room, logger)),
      [t.Nodes, t.Health, t.Room, t.Logger],
    )
    .inSingletonScope();
  bind(t.DropBox)
    .toResolvedValue(
      (spool, intake, refusal, logger) => dropBoxFor(intake, spool, refusal, logger),
      [t.Spool, t.Intake, t.Refusal, t.Logger],
    )
    .inSingletonScope();
  bind(t.Hub)
    .toResolvedValue(
      (spool, intake, operator, node, refusals, health, refusal, logger) => {
        const doors = serveIntake(intake, spool, refusal);
        const bodies: Handlers = serveBodies(spool);
        return openHub({
          ...{ intake: doors, bodies, operator, logger },
          inject: doorForPrograms(intake, spool, refusal, logger),
          retryAll: (by, why) => node.tell({ type: 'RetryAllRequested', data: { by, why } }),
          refusals,
          status: () => ({ pid: process.pid, version, ...statusOf(health.trouble) }),
        });
      },
      [t.Spool, t.Intake, t.Operator, t.Node, t.RefusalLog, t.Health, t.Refusal, t.Logger],
    )
    .inSingletonScope();
});

const statusOf = (trouble: LogTrouble | undefined) =>
  trouble && {
    log: { code: trouble.cause.code, what: trouble.cause.message, since: trouble.since },
  };
