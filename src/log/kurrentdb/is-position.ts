/**
 * Whether one may read from a position that the event store has perhaps not given us. A page that begins at a
 * wrong one fails like a server that is away, since that half of the client loses the words; a subscription
 * is told in words.
 */
import type { Position } from '../ports.ts';
import type { Call } from './connection.ts';
import { toStoredPosition } from './event-shape.ts';
import { faultOf } from './what-went-wrong.ts';

export const isPosition =
  (position: Position, prefixes: readonly string[]): Call<boolean> =>
  async (client, kurrent) => {
    let goesOn = (): void => undefined;
    const filter = kurrent.streamNameFilter({
      prefixes: [...prefixes],
      // Where nothing is ours it soon says how far it is.
      checkpointInterval: 1,
      checkpointReached: async () => goesOn(),
    });
    const fromPosition = toStoredPosition(position);
    const subscription = client.subscribeToAll({ fromPosition, filter });
    try {
      return await new Promise<boolean>((resolve, reject) => {
        goesOn = () => resolve(true);
        subscription.once('data', goesOn).once('caughtUp', goesOn);
        subscription.on('error', (cause) => {
          if (faultOf(cause) === 'invalid-position') resolve(false);
          else reject(cause);
        });
      });
    } finally {
      subscription.unsubscribe().catch(() => undefined);
    }
  };
