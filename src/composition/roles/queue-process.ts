/** The role `queue` in a process of its own: its switchboard behind sockets in the data directory. */
import type { Server } from 'node:net';
import type { Config } from '../../control/config.ts';
import type { Logger } from '../../platform/logger.ts';
import { listenForLinks, type LinkName } from '../links/sockets.ts';
import { runQueue } from './queue-role.ts';
import type { Running } from './running.ts';

const names: readonly LinkName[] = ['door', 'remote', 'local', 'control'];

export async function runQueueProcess(config: Config, logger: Logger): Promise<Running> {
  const queue = await runQueue(config, logger);
  const servers: Server[] = [];
  for (const name of names) {
    servers.push(await listenForLinks(name, (socket) => queue.hub.connect(name, socket)));
  }
  return {
    ...queue,
    async stop(why) {
      for (const server of servers) server.close();
      await queue.stop(why);
    },
  };
}
