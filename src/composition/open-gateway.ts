/** The gateway where one is asked for; gRPC is loaded nowhere else. */
import { statSync } from 'node:fs';
import type { Config } from '../control/config.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { LogReader } from '../log/ports.ts';
import { systemClock } from '../platform/clock.ts';
import { wordsOf, type Logger } from '../platform/logger.ts';
import { nowAndThen } from '../platform/now-and-then.ts';
import { gatewayKeeper } from './gateway-keeper.ts';
import type { Handed } from './roles/handed.ts';

export async function openGatewayAt(
  { gateway: { listen }, log: { eventStore } }: Config,
  { gatewayTls }: Handed,
  password: () => string | undefined,
  log: LogReader,
  logger: Logger,
): Promise<Gateway | undefined> {
  // `waybill check` says so: clients ask the event store itself.
  if (listen === undefined || eventStore !== undefined) return undefined;
  const { openGateway } = await import('../gateway/gateway.ts');
  const onTrouble = nowAndThen(systemClock, (cause) =>
    logger.error({ cause: wordsOf(cause) }, 'a client of the gateway was not served'),
  );
  const mayRead = gatewayKeeper({
    ...{ password, clock: systemClock, logger },
    // Whoever started the engine owns its data.
    ownUid: statSync('.').uid,
  });
  const gateway = await openGateway({ log, ...listen, tls: gatewayTls, mayRead, onTrouble });
  logger.info({ host: listen.host, port: gateway.port }, 'event store clients may read the log');
  return gateway;
}
