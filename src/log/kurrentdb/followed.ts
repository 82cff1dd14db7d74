/**
 * The event store as the desk has it: connected for as long as it runs, and only for reading. Whoever asks for
 * what is young is answered from the one subscription's memory, so that watching asks the event store for little;
 * while it is away, that memory answers on.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isTrouble } from '../../mail/trouble.ts';
import type { Instant } from '../../platform/clock.ts';
import type { FollowedLog } from '../consumer.ts';
import type { Damage, Position, ReadAll, RecordedEvent, StreamName } from '../ports.ts';
import { Damages } from '../sqlite/damages.ts';
import type { Connection } from './connection.ts';
import type { Oddity } from './event-shape.ts';
import { KurrentLog } from './kurrent-log.ts';
import { Pages } from './pages.ts';
import { limitMs, patienceMs } from './patience.ts';

export type Outage = { readonly since: Instant; readonly why: string };

export type FollowedStore = FollowedLog & {
  /** The same for those who rather wait than hear that the event store is away. */
  readonly patient: FollowedLog;
  /** Set while nothing new is heard. */
  outage(): Outage | undefined;
  /** Names of the streams of a category, those after `position`; walks over the log, on the server. */
  streamsAfter(category: string, position: Position): Promise<ReadonlySet<StreamName>>;
  close(): Promise<void>;
};

export type FollowedOptions = {
  readonly connection: Connection;
  readonly now: () => Instant;
  readonly onDamage?: (damage: Damage) => void;
  readonly oddity?: Oddity | undefined;
  readonly onBroken?: (why: string) => void;
};

const againMs = 1_000;
const pageEvents = 1_000;

export function openFollowed(options: FollowedOptions): FollowedStore {
  const { connection, now, onDamage, onBroken, oddity } = options;
  let outage: Outage | undefined = { since: now(), why: 'it was not reached yet' };
  let isClosed = false;
  const log = new KurrentLog({
    ...{ connection, oddity, patienceMs: patienceMs.desk },
    ...{ readLimitMs: limitMs.readOfDesk, walkLimitMs: limitMs.pageOfDesk },
    ...(onDamage === undefined ? {} : { onDamage }),
    onBroken: (why) => {
      outage = { since: outage?.since ?? now(), why };
      if (!isClosed) onBroken?.(why);
    },
    onFollowing: () => (outage = undefined),
  });
  const reached = log.heard().catch(() => undefined);
  const followed: FollowedLog = {
    readStream: (stream, wanted) => log.readStream(stream, wanted),
    async readAll(wanted) {
      return youngOf(log, wanted) ?? log.readAll(wanted);
    },
    head: async () => log.young?.head ?? log.head(),
    subscribe: (from) => log.subscribe(from),
    damages: () => log.damages(),
    version: () => log.young?.head ?? -1,
  };
  return {
    ...followed,
    patient: waitingFor(followed, reached, () => isClosed),
    outage: () => outage,
    async streamsAfter(category, position) {
      const pages = new Pages({
        ...{ connection, prefixes: [`${category}-`], damages: new Damages(), oddity },
        ...{ limitMs: limitMs.longestWalk, patienceMs: patienceMs.desk },
      });
      return namesIn(pages, position);
    },
    async close() {
      isClosed = true;
      await log.close();
    },
  };
}

/** What is in memory: events after a young one, or the last of all. */
function youngOf(
  { young }: Pick<KurrentLog, 'young'>,
  { after, direction = 'forwards', limit }: ReadAll,
): readonly RecordedEvent[] | undefined {
  if (young === undefined) return undefined;
  if (direction === 'forwards') return after === undefined ? undefined : young.page(after, limit);
  const last = after === undefined && limit === 1 ? young.page(young.head - 1, 1) : undefined;
  return last?.length === 1 ? last : undefined;
}

async function namesIn(pages: Pages, position: Position): Promise<ReadonlySet<StreamName>> {
  const names = new Set<StreamName>();
  for (let after = position; ;) {
    const page: readonly RecordedEvent[] = await pages.readAll({ after, limit: pageEvents });
    for (const { stream } of page) names.add(stream);
    if (page.length < pageEvents) return names;
    after = page.at(-1)!.position;
  }
}

/** An outage of hours is no failure of those who follow: they go on when it is over. */
function waitingFor(
  log: FollowedLog,
  reached: Promise<unknown>,
  isOver: () => boolean,
): FollowedLog {
  const surely = async <T>(read: () => Promise<T>): Promise<T> => {
    await reached;
    for (;;) {
      try {
        return await read();
      } catch (cause) {
        if (isOver() || !isTrouble(cause, 'log-unavailable')) throw cause;
        await sleep(againMs);
      }
    }
  };
  return {
    ...log,
    readStream: (...asked) => surely(() => log.readStream(...asked)),
    readAll: (...asked) => surely(() => log.readAll(...asked)),
    head: () => surely(() => log.head()),
  };
}
