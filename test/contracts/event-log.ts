/**
 * What every event log does, told through the port alone. Run by each engine:
 * `eventLogContract('the log in memory', open)`.
 *
 * The log may hold other events before those of a test, and positions may leave gaps.
 */
import { afterEach, beforeEach, describe, jest } from '@jest/globals';
import type { EventLog, Position } from '../../src/log/ports.ts';
import type { Spool } from '../../src/spool/ports.ts';
import { appending } from './event-log/appending.ts';
import { reading } from './event-log/reading.ts';
import { reopening } from './event-log/reopening.ts';
import { subscribing } from './event-log/subscribing.ts';

export type OpenLog = {
  readonly log: EventLog;
  /** The spool whose inline bodies travel with this log's appends; absent where they do not. */
  readonly spool?: Spool;
  /** Closes the log and opens the same data again; absent where nothing is kept. */
  reopen?(): Promise<Pick<OpenLog, 'log' | 'spool'>>;
  /** Closes whatever is open and gives back what it took. */
  close(): Promise<void>;
};

export type OpenALog = () => Promise<OpenLog>;

/** What a test of the contract has at hand: an open log, and where it ended when the test began. */
export type Desk = { open: OpenLog; log: EventLog; start: Position };

/** What not every engine has; its tests are skipped, visibly, where it is absent. */
export type Abilities = {
  readonly reopens: boolean;
  readonly carriesBodies: boolean;
  /** Behind a network: the same tests with fewer events. */
  readonly isFar?: boolean;
  /** Of each test; default: jest's own. */
  readonly timeLimitMs?: number;
};

export function eventLogContract(name: string, openLog: OpenALog, abilities: Abilities): void {
  describe(name, () => {
    const desk = {} as Desk;
    const { timeLimitMs } = abilities;
    // For the tests of this file from here on.
    if (timeLimitMs !== undefined) jest.setTimeout(timeLimitMs);
    beforeEach(async () => {
      desk.open = await openLog();
      desk.log = desk.open.log;
      desk.start = await desk.log.head();
    });
    afterEach(async () => {
      await desk.open.close();
    });
    appending(desk, abilities);
    reading(desk);
    subscribing(desk, openLog, abilities);
    reopening(desk, abilities);
  });
}
