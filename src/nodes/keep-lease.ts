/**
 * Our own lease: opened before the doors, kept with beats, closed when no attempt runs.
 *
 * A node that has had no answer to a beat for a while starts nothing more and says 451, long before anybody
 * else may take its lease: self-restraint comes first, suspicion later. A node whose lease was taken never
 * starts anything again; it must open a new one, which is a new incarnation.
 */
import { BehaviorSubject, distinctUntilChanged, type Observable } from 'rxjs';
import { noStream, type EventLog, type Revision } from '../log/ports.ts';
import { isTrouble } from '../mail/trouble.ts';
import type { Cancel, Clock, Instant } from '../platform/clock.ts';
import { leaseStream, type Incarnation, type LeaseEvent } from './events.ts';

/** `sound`: may start attempts and accept. `restrained`: the log has not answered lately. `lost`: taken. */
export type Standing = 'opening' | 'sound' | 'restrained' | 'draining' | 'closed' | 'lost';

export type LeaseParts = {
  readonly log: Pick<EventLog, 'append' | 'readStream'>;
  /** Must not jump: real time since the start is what counts. */
  readonly clock: Clock;
  readonly incarnation: Incarnation;
  readonly node: string;
  readonly home?: string | undefined;
  /** What a beat says of us. */
  readonly state: () => { readonly open: number; readonly position: number };
  /** Default 5,000. */
  readonly beatMs?: number;
  /** Default 30,000. */
  readonly ttlMs?: number;
  /** Told what kept a beat from being written. */
  readonly onTrouble?: (cause: unknown) => void;
};

export interface OwnLease {
  readonly standing: Standing;
  readonly standing$: Observable<Standing>;
  /** Resolves when the lease stands in the log; from then on it beats. Rejects as the log does. */
  open(): Promise<void>;
  /** Starts nothing more. Beats go on: what runs may finish. */
  drain(): Promise<void>;
  /** The end: others take the letters that are left. */
  close(): Promise<void>;
  /** Says nothing more, so that others find the lease silent: something may still be under way. */
  abandon(): void;
}

export function keepLease(parts: LeaseParts): OwnLease {
  const { log, clock, incarnation, node, home, state } = parts;
  const { beatMs = 5_000, ttlMs = 30_000, onTrouble } = parts;
  /** Two thirds of what others grant us. */
  const restraintMs = Math.floor((ttlMs * 2) / 3);
  const stream = leaseStream(incarnation);
  const standing$ = new BehaviorSubject<Standing>('opening');
  let revision: Revision = noStream;
  let count = 0;
  /** When the last beat that was answered was sent. */
  let answeredFrom: Instant = -Infinity;
  let wanted: 'open' | 'draining' | 'closed' = 'open';
  let nextBeat: Cancel | undefined;
  let restraint: Cancel | undefined;
  let tail: Promise<unknown> = Promise.resolve();

  /** One after the other: each expects the revision that the last one made. */
  const write = (make: () => LeaseEvent): Promise<void> => {
    const written = tail.then(() => append(make()));
    tail = written.catch(() => undefined);
    return written;
  };

  const isLost = () => standing$.value === 'lost';

  async function append(event: LeaseEvent): Promise<void> {
    if (isLost()) return;
    const sentAt = clock.now();
    try {
      ({ revision } = await appendSurely(event));
    } catch (cause) {
      if (!isTrouble(cause, 'revision-conflict')) throw cause;
      await lookAgain();
      // Nobody but us writes there and lets us go on: it was a word of our own. Opened is opened.
      if (isLost() || event.type === 'LeaseOpened') return;
      ({ revision } = await appendSurely(event));
    }
    answeredFrom = sentAt;
    judge();
  }

  /** In the same words again, the log says what came of the first time. */
  async function appendSurely(event: LeaseEvent) {
    try {
      return await log.append(stream, revision, [event]);
    } catch (cause) {
      if (!isTrouble(cause, 'log-unavailable')) throw cause;
      return await log.append(stream, revision, [event]);
    }
  }

  /** Somebody wrote there: it was taken, or a beat of ours stands there whose answer we never heard. */
  async function lookAgain(): Promise<void> {
    const [last] = await log.readStream(stream, { direction: 'backwards', limit: 1 });
    if (last === undefined) return;
    revision = last.revision;
    if (last.type !== 'LeaseTaken') return;
    nextBeat?.();
    restraint?.();
    standing$.next('lost');
  }

  function judge(): void {
    if (standing$.value === 'lost' || standing$.value === 'closed') return;
    restraint?.();
    const until = answeredFrom + restraintMs;
    if (wanted !== 'open') return standing$.next(wanted);
    if (clock.now() >= until) return standing$.next('restrained');
    if (standing$.value !== 'sound') standing$.next('sound');
    restraint = clock.at(until, judge);
  }

  function beat(): void {
    nextBeat = clock.at(clock.now() + beatMs, beat);
    // While one is under way the next would only queue up behind it.
    if (beating) return;
    beating = true;
    count += 1;
    write(() => ({ type: 'LeaseBeat', v: 1, at: clock.now(), data: { count, ...state() } }))
      .catch((cause: unknown) => onTrouble?.(cause))
      .finally(() => (beating = false));
  }
  let beating = false;

  return {
    get standing() {
      // After a sleep of the machine the alarm may ring late.
      if (standing$.value === 'sound' && clock.now() >= answeredFrom + restraintMs) judge();
      return standing$.value;
    },
    standing$: standing$.pipe(distinctUntilChanged()),
    async open() {
      const data = { node, beatMs, ttlMs, ...(home === undefined ? {} : { home }) };
      await write(() => ({ type: 'LeaseOpened', v: 1, at: clock.now(), data }));
      nextBeat = clock.at(clock.now() + beatMs, beat);
    },
    async drain() {
      if (wanted !== 'open') return;
      wanted = 'draining';
      judge();
      const { open } = state();
      await write(() => ({ type: 'LeaseDraining', v: 1, at: clock.now(), data: { open } }));
    },
    abandon() {
      nextBeat?.();
      restraint?.();
    },
    async close() {
      if (wanted === 'closed') return;
      wanted = 'closed';
      nextBeat?.();
      const { open } = state();
      await write(() => ({ type: 'LeaseClosed', v: 1, at: clock.now(), data: { open } }));
    },
  };
}
