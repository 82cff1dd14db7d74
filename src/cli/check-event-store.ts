/** Whether the event store answers and lets us read: asked once, a few seconds at the most. Nothing is written. */
import type { EventStore } from '../control/config.ts';
import { toAddress, withoutSecrets } from '../control/event-store-address.ts';
import { isTrouble } from '../mail/trouble.ts';
import type { Finding } from './check-config.ts';

/** The native half of the client tries for as long, before it says that nobody is there. */
const limitMs = 10_000;
const patienceMs = 3_000;

/** `directory`: where the address's relative files start. */
export async function checkEventStore(store: EventStore, directory: string): Promise<Finding[]> {
  const { url, credentialsFile } = store;
  const told = (message: string): Finding[] => [{ file: withoutSecrets(url), message }];
  // Loading the client takes longer than most checks.
  const { Connection } = await import('../log/kurrentdb/connection.ts');
  const { surely } = await import('../log/kurrentdb/surely.ts');
  const { toTrouble } = await import('../log/kurrentdb/what-went-wrong.ts');
  let connection: InstanceType<typeof Connection> | undefined;
  try {
    connection = new Connection({ address: toAddress({ url, credentialsFile, directory }) });
    await surely(connection, 'a question', { limitMs, patienceMs }, async (client) => {
      const last = client.readAll({ direction: 'backwards', fromPosition: 'end', maxCount: 1 });
      for await (const _ of last) break;
    });
    return [];
  } catch (cause) {
    const trouble = isTrouble(cause) ? cause : toTrouble('reading the event store', cause);
    return told(trouble.message);
  } finally {
    await connection?.close();
  }
}
