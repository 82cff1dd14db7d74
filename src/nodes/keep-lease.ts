/**
 * Our own lease: opened before the doors, kept with beats, closed when no attempt runs.
 *
 * A node that has had no answer to a beat for a while starts nothing more and says 451, long before anybody
 * else may take its lease: self-restraint comes first, suspicion later. A node whose lease was taken never
 * starts anything again; it must open a new one, which is a new incarnation.
 */
import { BehaviorSubject, distinctUntilChanged, type Observable } from 'rxjs';
import { noStream, type Revision, type SharedLog } from '../log/ports.ts';
import { isTrouble } from '../mail/trouble.ts';
import type { Cancel, Clock, Instant, Moment } from '../platform/clock.ts';
import {
  leaseEventsKept,
  leaseStream,
  type Incarnation,
  type LeaseEvent,
  type LeaseFacts,
} from './events.ts';

/** `sound`: may start attempts and accept. `restrained`: the log has not answered lately. `lost`: taken. */
export type Standing = 'opening' | 'sound' | 'restrained' | 'draining' | 'closed' | 'lost';

export type LeaseParts = Pick<LeaseFacts, 'node'> & {
  readonly log: Pick<SharedLog, 'append' | 'readStream' | 'keepYoungest'>;
  readonly clock: Clock;
  readonly incarnation: Incarnation;
  /** As in `LeaseOpened`. */
  readonly home?: string | undefined;
  readonly boot?: string | undefined;
  readonly fenced?: boolean | undefined;
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
  const { log, clock, incarnation, node, home, boot, fenced = false, state } = parts;
  const { beatMs = 5_000, ttlMs = 30_000, onTrouble } = parts;
  const facts: LeaseFacts = {
    ...{ node, beatMs, ttlMs },
    ...(home === undefined ? {} : { home }),
    ...(boot === undefined ? {} : { boot }),
    ...(fenced ? { fenced } : {}),
  };
  /** Two thirds of what others grant us. */
  const restraintMs = Math.floor((ttlMs * 2) / 3);
  const stream = leaseStream(incarnation);
  const standing$ = new BehaviorSubject<Standing>('opening');
  let revision: Revision = noStream;
  let count = 0;
  /** When the last beat that was answered was sent. */
  let answeredFrom: Moment = -Infinity;
  let openedAt: Instant = 0;
  let wanted: 'open' | 'draining' | 'closed' = 'open';
  /** Whether the log knows that old events of ours may go. */
  let isBounded = false;
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
    const sentAt = clock.steady();
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

  /** Somebody wrote there: it is ours no more, or a beat of ours stands there whose answer we never heard. */
  async function lookAgain(): Promise<void> {
    const [last] = await log.readStream(stream, { direction: 'backwards', limit: 1 });
    if (last === undefined) return;
    revision = last.revision;
    if (last.type !== 'LeaseTaken' && last.type !== 'LeaseDeclaredGone') return;
    nextBeat?.();
    restraint?.();
    standing$.next('lost');
  }

  function judge(): void {
    if (standing$.value === 'lost' || standing$.value === 'closed') return;
    restraint?.();
    const leftMs = answeredFrom + restraintMs - clock.steady();
    if (wanted !== 'open') return standing$.next(wanted);
    if (leftMs <= 0) return standing$.next('restrained');
    if (standing$.value !== 'sound') standing$.next('sound');
    restraint = clock.after(leftMs, judge);
  }

  function beat(): void {
    nextBeat = clock.after(beatMs, beat);
    // While one is under way the next would only queue up behind it.
    if (beating) return;
    beating = true;
    count += 1;
    bound();
    write(nextWord)
      .catch((cause: unknown) => onTrouble?.(cause))
      .finally(() => (beating = false));
  }
  let beating = false;

  const nextWord = (): LeaseEvent => {
    const draining = wanted === 'open' ? {} : { draining: true as const };
    const data = { count, ...state(), ...draining, lease: { ...facts, openedAt } };
    return { type: 'LeaseBeat', v: 1, at: clock.now(), data };
  };

  /** Once; where it fails the next beat tries again, and until then all beats stay. */
  function bound(): void {
    if (isBounded) return;
    isBounded = true;
    log.keepYoungest(stream, leaseEventsKept).catch((cause: unknown) => {
      isBounded = false;
      onTrouble?.(cause);
    });
  }

  return {
    get standing() {
      // After a sleep of the machine the alarm may ring late.
      if (standing$.value === 'sound' && clock.steady() >= answeredFrom + restraintMs) judge();
      return standing$.value;
    },
    standing$: standing$.pipe(distinctUntilChanged()),
    async open() {
      // Asked again after trouble it says the same.
      openedAt ||= clock.now();
      await write(() => ({ type: 'LeaseOpened', v: 1, at: openedAt, data: facts }));
      bound();
      nextBeat = clock.after(beatMs, beat);
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
