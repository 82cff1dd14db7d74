/** Whether the event store can do what `[nodes] fences` asks of it: it is dialled, and given a few seconds. */
import { join } from 'node:path';
import type { Config } from '../control/config.ts';
import { isTrouble } from '../mail/trouble.ts';
import type { Finding } from './check-config.ts';

export async function checkFences(config: Config | undefined): Promise<readonly Finding[]> {
  if (config?.nodes.fences !== true) return [];
  const say = (message: string): readonly Finding[] => [
    { file: join(config.dir, 'waybill.toml'), message: `nodes.fences: ${message}` },
  ];
  const { eventStore } = config.log;
  if (eventStore === undefined) return say('without an event store there is nobody to fence off');
  const { url, credentialsFile } = eventStore;
  const [{ Connection }, { KurrentLog }, { patienceMs }, { toAddress }] = await Promise.all([
    import('../log/kurrentdb/connection.ts'),
    import('../log/kurrentdb/kurrent-log.ts'),
    import('../log/kurrentdb/patience.ts'),
    import('../control/event-store-address.ts'),
  ]);
  try {
    const address = toAddress({ url, credentialsFile, directory: config.dir });
    // Somebody waits for the answer.
    const patience = { readLimitMs: patienceMs.check, patienceMs: patienceMs.check };
    const log = new KurrentLog({ connection: new Connection({ address }), ...patience });
    const can = await log.canAppendTogether().finally(() => log.close());
    return can
      ? []
      : say('the event store knows none, and no engine starts: they need server 26.1');
  } catch (cause) {
    if (!isTrouble(cause)) throw cause;
    return say(`whether the event store knows them cannot be asked now (${cause.message})`);
  }
}
