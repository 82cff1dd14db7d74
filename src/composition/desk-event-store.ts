/** The log in an event store as the role `desk` has it: a connection of its own, on which it only reads. */
import type { EventStore } from '../control/config.ts';
import { toAddress, withoutSecrets } from '../control/event-store-address.ts';
import { watchNodes } from '../desk/node-watch.ts';
import { oddityOf } from '../log/event-shapes.ts';
import { Connection } from '../log/kurrentdb/connection.ts';
import { openFollowed } from '../log/kurrentdb/followed.ts';
import { logStart, type LogReader } from '../log/ports.ts';
import { sharePages } from '../log/shared-pages.ts';
import type { BodyRef, MessageId } from '../mail/envelope.ts';
import { systemClock } from '../platform/clock.ts';
import { nowAndThen } from '../platform/now-and-then.ts';
import { messageStream, type QueueEvent } from '../queue/events.ts';
import { sharedSpool } from '../spool/disk/shared-spool.ts';
import { kurrentSpool } from '../spool/kurrentdb/kurrent-spool.ts';
import { formatInstant } from '../trace/words.ts';
import type { OpenDeskLog } from './desk-log.ts';

/** Of a body; its header is in there nearly always. */
const headBytes = 8 * 1024;
/** Nobody waits long for a subject. */
const bodyPatience = { limitMs: 3_000, patienceMs: 0 };

/**
 * Reads the credentials and loads the client now: later both may be out of reach. `dir`: where the address's
 * relative files start.
 */
export async function dialForDesk(
  { url, credentialsFile, bodyDirectory }: EventStore,
  dir: string,
): Promise<OpenDeskLog> {
  const address = toAddress({ url, credentialsFile, directory: dir });
  await new Connection({ address }).load();
  const where = withoutSecrets(url);
  return async (logger) => {
    const connection = new Connection({ address });
    const bodies = new Connection({ address });
    const log = openFollowed({
      ...{ connection, now: () => systemClock.now(), oddity: oddityOf },
      onDamage: (damage) => logger.error({ damage }, 'odd event passed over'),
      onBroken: nowAndThen(systemClock, (why, times) =>
        logger.warn({ why, times: times + 1, where }, 'the desk does not hear the event store'),
      ),
    });
    const spool =
      bodyDirectory === undefined ? kurrentSpool(bodies, bodyPatience) : sharedSpool(bodyDirectory);
    const watch = watchNodes({ log, nodeStreams: () => log.streamsAfter('node', logStart) });
    return {
      // Views, past and nodes walk over the log side by side: it comes over the network once.
      ...{ log, patient: sharePages(log.patient), consumers: [watch.consumer] },
      ...{ history: watch.history, nodes: watch.nodes },
      async body(message) {
        const ref = await bodyOf(log, message);
        // Of a letter that is done it is gone; a directory of bodies may be the queue's alone.
        const read = ref && spool.read(ref, 0, Math.min(ref.bytes, headBytes));
        return read?.catch(() => undefined);
      },
      outage() {
        const out = log.outage();
        if (out === undefined) return undefined;
        const since = formatInstant(out.since);
        const words = `The event store does not answer since ${since}: what is shown is what was known then.`;
        return { since: out.since, words };
      },
      async close() {
        await log.close();
        await bodies.close();
      },
    };
  };
}

/** `undefined`: it needs none any more. */
async function bodyOf(
  log: Pick<LogReader, 'readStream'>,
  message: MessageId,
): Promise<BodyRef | undefined> {
  const events = (await log.readStream(messageStream(message))) as readonly unknown[];
  const [first] = events as readonly QueueEvent[];
  const last = events.at(-1) as QueueEvent | undefined;
  if (first?.type !== 'MessageAccepted' || last?.type === 'MessageCleanedUp') return undefined;
  return first.data.body;
}
