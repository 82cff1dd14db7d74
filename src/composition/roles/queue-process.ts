/** The role `queue` in a process of its own: its switchboard behind sockets in the data directory. */
import type { ContainerModule } from 'inversify';
import type { Server, Socket } from 'node:net';
import type { Config } from '../../control/config.ts';
import { loadThread } from '../../log/sqlite/threaded-hand.ts';
import type { Logger } from '../../platform/logger.ts';
import { logModule } from '../log.modules.ts';
import { listenForLinks, type LinkName } from '../links/sockets.ts';
import { runQueue } from './queue-role.ts';
import type { Given } from './given.ts';
import type { Running } from './running.ts';

const names: readonly LinkName[] = ['door', 'remote', 'local', 'control', 'desk', 'inject'];

type Run = (config: Config, logger: Logger, given: Given) => Promise<Running>;

/** The role with its engine, and with its second thread, which load their code now or never. */
export async function loadQueue(config: Config): Promise<Run> {
  if (config.log.engine === 'sqlite') await loadThread();
  const engine = await logModule(config);
  return (of, logger, given) => runQueueProcess(of, logger, given, engine);
}

async function runQueueProcess(
  config: Config,
  logger: Logger,
  { handed, socketGroups }: Given,
  engine: ContainerModule,
): Promise<Running> {
  const queue = await runQueue(config, logger, handed, engine);
  const servers: Server[] = [];
  for (const name of names) {
    const open = (socket: Socket) => queue.hub.connect(name, socket);
    servers.push(await listenForLinks(name, open, socketGroups[name]));
  }
  return {
    ...queue,
    async stop(why) {
      for (const server of servers) server.close();
      await queue.stop(why);
    },
  };
}
