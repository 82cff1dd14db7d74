/** The event store as a person's command reads it: for as long as the question takes, and no longer. */
import type { Connection } from './connection.ts';
import type { LogAtHand } from '../at-hand.ts';
import type { Damage, EventText, Position, StreamName } from '../ports.ts';
import { toPosition, toStoredPosition, type Oddity } from './event-shape.ts';
import { KurrentLog } from './kurrent-log.ts';
import { collect } from './pages.ts';
import { limitMs, patienceMs } from './patience.ts';
import { surely, type Patience } from './surely.ts';
import { toTrouble } from './what-went-wrong.ts';

export type KurrentAtHand = LogAtHand & {
  /** The same with a hand that writes. */
  readonly log: KurrentLog;
  /** Streams of letters whose id begins or ends with these hex digits; walks over the log, on the server. */
  letters(part: string, limit: number): Promise<readonly StreamName[]>;
  /** Streams of a category, such as `node`. */
  category(name: string): Promise<readonly StreamName[]>;
  close(): Promise<void>;
};

/** A person does not wait for ever. */
const { command } = patienceMs;
const walkPatience: Patience = {
  limitMs: limitMs.walkOfCommand,
  mostLimitMs: limitMs.longestWalk,
  patienceMs: command,
};
const pageEvents = 1_000;

export function openAtHand(
  connection: Connection,
  onDamage?: (damage: Damage) => void,
  oddity?: Oddity,
): KurrentAtHand {
  const log = new KurrentLog({
    ...{ connection, oddity, walkLimitMs: limitMs.walkOfCommand },
    ...{ patienceMs: command, subscriberPatienceMs: command },
    ...(onDamage === undefined ? {} : { onDamage }),
  });
  let heard: Position | undefined;
  return {
    log,
    readStream: (stream, options) => log.readStream(stream, options),
    readAll: (options) => log.readAll(options),
    head: () => log.head(),
    subscribe: (from) => log.subscribe(from),
    damages: () => log.damages(),
    close: () => log.close(),
    async readTexts(options): Promise<readonly EventText[]> {
      const page = await log.readAll(options);
      return page.map(({ data, ...event }) => ({ ...event, json: JSON.stringify(data) }));
    },
    version() {
      // The first time nobody listens yet; from the next on it is a matter of memory.
      log.heard().then(
        (position) => (heard = position),
        () => undefined,
      );
      return heard ?? -1;
    },
    letters: async (part, limit) => {
      const digits = part.replace(/[-\s]/g, '').toLowerCase();
      if (!/^[0-9a-f]{1,32}$/.test(digits)) return [];
      const spaced = [...digits].join('-?');
      const regex = `^message-(${spaced}[0-9a-f-]*|[0-9a-f-]*${spaced})$`;
      return streamsOf(connection, { filterOn: 'streamName', regex }, limit);
    },
    category: (name) =>
      streamsOf(connection, { filterOn: 'streamName', prefixes: [`${name}-`] }, Infinity),
  };
}

/** Names of all streams with an event that the filter lets through, in the order of their first ones. */
async function streamsOf(
  connection: Connection,
  filter: object,
  limit: number,
): Promise<readonly StreamName[]> {
  const names = new Set<StreamName>();
  for (let after: Position | undefined; names.size < limit;) {
    const fromPosition = after === undefined ? 'start' : toStoredPosition(after);
    const page = await surely(connection, 'a search for streams', walkPatience, (client) =>
      collect(client.readAll({ fromPosition, maxCount: pageEvents, filter: filter as never })),
    ).catch((cause: unknown) => {
      throw toTrouble('searching for streams', cause);
    });
    for (const { streamId } of page) if (names.size < limit) names.add(streamId);
    if (page.length < pageEvents) break;
    after = toPosition(page.at(-1)!.position).position;
  }
  return [...names];
}
