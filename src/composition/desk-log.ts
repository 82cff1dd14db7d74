/** The log as the role `desk` has it, with all that depends on which engine keeps it. */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Nodes, Outage, OwnHistory } from '../desk/ports.ts';
import type { FollowedLog, LogConsumer } from '../log/consumer.ts';
import type { StreamName } from '../log/ports.ts';
import { openStreamFinder } from '../log/sqlite/find-streams.ts';
import { openReader } from '../log/sqlite/open-reader.ts';
import type { MessageId } from '../mail/envelope.ts';
import type { Logger } from '../platform/logger.ts';
import { messageStream } from '../queue/events.ts';
import { readNodeHistory } from '../trace/rules-of-the-day.ts';
import { logFile } from '../log/sqlite/log-file.ts';

export type DeskLog = {
  readonly log: FollowedLog;
  /** The same for those who rather wait than hear that it is out of reach. */
  readonly patient: FollowedLog;
  /** Besides those of every desk. */
  readonly consumers: readonly LogConsumer[];
  /** Streams of letters whose id begins or ends with these hex digits; absent: the views know them. */
  readonly find?: (part: string, limit: number) => readonly StreamName[];
  readonly history: OwnHistory;
  /** The first bytes of a letter, at least, while they are kept at hand. */
  readonly body: (message: MessageId) => Promise<Uint8Array | undefined>;
  /** Absent: one engine has the log to itself. */
  readonly nodes?: Nodes;
  readonly outage: () => Outage | undefined;
  close(): Promise<void>;
};

/** Resolves when there is a log; rejects when the signal says that nobody needs it any more. */
export type OpenDeskLog = (logger: Logger, signal: AbortSignal) => Promise<DeskLog>;

/** The queue makes the log at the first start, and may be a moment behind. */
const lookForLogMs = 200;
/** How often the log is asked for news. */
const pollMs = 250;

/** The embedded log, through its file. */
export const openEmbedded: OpenDeskLog = async (logger, signal) => {
  // Beside the file: what readers share with the queue, and may not make themselves.
  while (![logFile, `${logFile}-wal`, `${logFile}-shm`].every((file) => existsSync(file))) {
    await sleep(lookForLogMs, undefined, { signal });
  }
  const log = openReader(logFile, {
    pollMs,
    onDamage: (damage) => logger.error({ damage }, 'damaged event left out'),
  });
  const finder = openStreamFinder(logFile);
  return {
    ...{ log, patient: log, consumers: [] },
    find: (part, limit) => finder.letters(part, limit),
    history: (upTo) => readNodeHistory(log, finder.category('node'), upTo),
    body: async (message) => log.readBody(messageStream(message)),
    outage: () => undefined,
    async close() {
      finder.close();
      log.close();
    },
  };
};
