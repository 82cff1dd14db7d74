/**
 * What an attempt waited for once it was due, found in the log afterwards: who held the slots meanwhile. The
 * scheduler's own book of lanes (`LaneShares`) is kept again from the attempts' starts and ends, so that nothing
 * has to be recorded while mail flows. Exact as far as the look back goes, but for the few milliseconds
 * between a slot and its record.
 */
import { laneOf } from '../../projections/agenda.ts';
import type { LogReader, Position, RecordedEvent } from '../log/ports.ts';
import type { MessageId } from '../mail/envelope.ts';
import type { Instant } from '../platform/clock.ts';
import type { Route } from '../queue/events.ts';
import type { ChannelName } from '../queue/ports.ts';
import { SlotBook } from './slot-book.ts';

/** Milliseconds of the wait, by what stood in the way. */
export type Blocked = {
  /** All slots of the channel were taken. */
  readonly channelFull: number;
  /** Slots were free, but its lane had its share of them. */
  readonly laneShare: number;
  /** Nobody had answered at its destination: one attempt at a time goes there. */
  readonly laneTroubled: number;
  /** Before the engine was started. */
  readonly engineAway: number;
};

/** An attempt that was under way. */
export type Holder = {
  readonly message: MessageId;
  readonly attempt: number;
  readonly lane: string;
  readonly startedAt: Instant;
};

export type SlotWait = {
  readonly dueAt: Instant;
  /** When its attempt began, or the moment asked about. */
  readonly until: Instant;
  readonly channel: ChannelName;
  readonly lane: string;
  /** `concurrencylocal` or `concurrencyremote`. */
  readonly slots: number;
  /** The most attempts under way at once during the wait, of the channel and of the lane. */
  readonly mostInUse: number;
  readonly mostInLane: number;
  /** What the lane's last attempt before the end of the wait was like. */
  readonly pace: 'unknown' | 'quick' | 'slow' | 'neither';
  readonly blocked: Blocked;
  /** Attempts that had the channel's slots when the wait began; the oldest five. */
  readonly holders: readonly Holder[];
  /** The look back began before the wait and knows every attempt of that time; else the numbers are at least that. */
  readonly exact: boolean;
};

export type Waited = {
  readonly dueAt: Instant;
  /** The event at this position, the attempt's start, is the end of the wait; or the head of the log. */
  readonly before: Position;
  readonly until: Instant;
  readonly route: Route;
  readonly slots: number;
};

/** No attempt takes longer (`attemptCeilingMs`): whatever began earlier is over. */
const longestAttemptMs = 4 * 3_600_000;

const pageEvents = 2_000;

/** So many events of attempts are looked back through at most: a second or two. */
const mostEvents = 50_000;

type Reader = Pick<LogReader, 'readAll'>;

export async function slotWait(log: Reader, waited: Waited): Promise<SlotWait> {
  const { events, whole, startedAt } = await lookBack(log, waited);
  const book = new SlotBook(waited);
  for (const event of events) book.hear(event);
  const { dueAt, until, route, slots } = waited;
  // What the log was silent about before the engine came up.
  const engineAway = startedAt === undefined ? 0 : Math.max(0, Math.min(startedAt, until) - dueAt);
  return {
    ...{ dueAt, until, slots, channel: route.channel, lane: laneOf(route) },
    ...book.close(engineAway),
    exact: whole,
  };
}

type Past = {
  readonly events: readonly RecordedEvent[];
  readonly whole: boolean;
  /** A start of the engine ended the look: nothing from before it was still under way. */
  readonly startedAt: Instant | undefined;
};

/** The events before the end of the wait, oldest first, from when every attempt is known. */
async function lookBack(log: Reader, { before, dueAt }: Waited): Promise<Past> {
  const events: RecordedEvent[] = [];
  const past = (whole: boolean, startedAt?: Instant): Past => ({
    events: events.reverse(),
    ...{ whole, startedAt },
  });
  for (let cursor = before; events.length < mostEvents;) {
    const page = await log.readAll({ after: cursor, direction: 'backwards', limit: pageEvents });
    for (const event of page) {
      if (event.type === 'NodeStarted') return past(true, event.at);
      if (event.at < dueAt - longestAttemptMs) return past(true);
      if (isOfAttempt(event.type)) events.push(event);
    }
    if (page.length < pageEvents) return past(true);
    cursor = page.at(-1)!.position;
  }
  return past(false);
}

const ends = new Set(['RecipientDelivered', 'RecipientDeferred', 'RecipientFailed']);
const isOfAttempt = (type: string): boolean => type === 'AttemptStarted' || ends.has(type);
