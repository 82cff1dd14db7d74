/**
 * Whether the event store answers both halves of the client and lets us read: asked once, a few seconds at the
 * most. Nothing is written.
 */
import type { EventStore } from '../control/config.ts';
import { toAddress, withoutSecrets, type Address } from '../control/event-store-address.ts';
import { isTrouble } from '../mail/trouble.ts';
import type { Finding } from './check-config.ts';

/** `directory`: where the address's relative files start. */
export async function checkEventStore(store: EventStore, directory: string): Promise<Finding[]> {
  const { url, credentialsFile } = store;
  const told = (message: string): Finding[] => [{ file: withoutSecrets(url), message }];
  // Loading the client takes longer than most checks.
  const { Connection } = await import('../log/kurrentdb/connection.ts');
  const { surely } = await import('../log/kurrentdb/surely.ts');
  const { limitMs, patienceMs } = await import('../log/kurrentdb/patience.ts');
  const { togethernessOf } = await import('../log/kurrentdb/together.ts');
  const { faultOf, toTrouble } = await import('../log/kurrentdb/what-went-wrong.ts');
  const patience = { limitMs: limitMs.read, patienceMs: patienceMs.check };
  let address: Address | undefined;
  let connection: InstanceType<typeof Connection> | undefined;
  try {
    address = toAddress({ url, credentialsFile, directory });
    connection = new Connection({ address });
    await surely(connection, 'a question', patience, async (client) => {
      const last = client.readAll({ direction: 'backwards', fromPosition: 'end', maxCount: 1 });
      for await (const _ of last) break;
    });
    // The half that writes knows other authorities than the one that reads.
    await surely(connection, 'a question', patience, togethernessOf);
    return [];
  } catch (cause) {
    const trouble = isTrouble(cause) ? cause : toTrouble('reading the event store', cause);
    if (address === undefined || faultOf(cause) !== 'away') return told(trouble.message);
    const { whyNobodyAnswers } = await import('../log/kurrentdb/why-nobody-answers.ts');
    return told(`${trouble.message} (${await whyNobodyAnswers(address)})`);
  } finally {
    await connection?.close();
  }
}
