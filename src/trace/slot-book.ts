/**
 * Who held the slots, written down again from the starts and ends of attempts in the log: the scheduler's own book of
 * lanes (`LaneShares`), and what stood in the way of one attempt while it waited.
 */
import { laneOf } from '../../projections/agenda.ts';
import type { RecordedEvent } from '../log/ports.ts';
import type { MessageId } from '../mail/envelope.ts';
import type { Reply } from '../mail/verdict.ts';
import type { Instant } from '../platform/clock.ts';
import { messageOf, type QueueEvent } from '../queue/events.ts';
import { LaneShares, quickMs, slowMs } from '../queue/lane-shares.ts';
import type { Blocked, Holder, SlotWait, Waited } from './slot-wait.ts';

type Open = Holder & { left: number; unreachable: boolean };

type Event<Type extends QueueEvent['type']> = RecordedEvent & Extract<QueueEvent, { type: Type }>;
type Judged = { readonly attempt: number; readonly reply: Reply; readonly doubt?: boolean };

/** So many of those that held a slot are named. */
const mostHolders = 5;

/** Follows slots and shares as the scheduler does, and adds up what stood in the way while the wait lasted. */
export class SlotBook {
  readonly #waited: Waited;
  readonly #lane: string;
  readonly #shares = new LaneShares();
  /** Attempts under way in the channel, by letter and number. */
  readonly #open = new Map<string, Open>();
  readonly #troubled = new Set<string>();
  readonly #blocked = { channelFull: 0, laneShare: 0, laneTroubled: 0, engineAway: 0 };
  #most = 0;
  #mostInLane = 0;
  #pace: SlotWait['pace'] = 'unknown';
  #holders: readonly Holder[] | undefined;
  #clock: Instant;

  constructor(waited: Waited) {
    this.#waited = waited;
    this.#lane = laneOf(waited.route);
    this.#clock = waited.dueAt;
  }

  hear(event: RecordedEvent): void {
    const message = messageOf(event.stream);
    if (message === undefined) return;
    this.#pass(event.at);
    const known = event as RecordedEvent & QueueEvent;
    if (known.type === 'AttemptStarted') this.#start(message, known);
    else this.#verdict(message, known);
    this.#count(event.at);
  }

  close(engineAway: number) {
    this.#pass(this.#waited.until);
    return {
      ...{ mostInUse: this.#most, mostInLane: this.#mostInLane, pace: this.#pace },
      holders: this.#holders ?? this.#firstHolders(),
      blocked: { ...this.#blocked, engineAway },
    };
  }

  /** What was so until now lasted up to this event. */
  #pass(at: Instant): void {
    if (at <= this.#clock) return;
    this.#holders ??= this.#firstHolders();
    const now = Math.min(at, this.#waited.until);
    const reason = this.#why();
    if (reason !== undefined) this.#blocked[reason] += now - this.#clock;
    this.#clock = now;
  }

  #why(): Exclude<keyof Blocked, 'engineAway'> | undefined {
    const { slots } = this.#waited;
    const free = slots - this.#open.size;
    if (free <= 0) return 'channelFull';
    if (!this.#shares.isTroubled(this.#lane))
      return this.#shares.mayHaveOneMore(this.#lane, free) ? undefined : 'laneShare';
    const tooMany = this.#troubled.size >= Math.max(1, Math.floor(slots / 4));
    return tooMany || this.#shares.of(this.#lane) > 0 ? 'laneTroubled' : undefined;
  }

  #start(message: MessageId, { at, data }: Event<'AttemptStarted'>): void {
    const first = data.routes[0];
    if (first?.channel !== this.#waited.route.channel) return;
    const { attempt, rcpts } = data;
    const lane = laneOf(first);
    const key = `${message} ${attempt}`;
    const holder = { message, attempt, lane, startedAt: at };
    this.#open.set(key, { ...holder, left: rcpts.length, unreachable: true });
    if (this.#shares.isTroubled(lane)) this.#troubled.add(key);
    this.#shares.take(lane);
  }

  #verdict(message: MessageId, event: RecordedEvent & QueueEvent): void {
    const { attempt, reply, doubt } = event.data as Judged;
    const key = `${message} ${attempt}`;
    const open = this.#open.get(key);
    if (open === undefined) return;
    const isSilent = event.type === 'RecipientDeferred' && reply.code === undefined;
    open.unreachable &&= isSilent && doubt !== true;
    open.left -= 1;
    if (open.left <= 0) this.#end(key, open, event.at - open.startedAt);
  }

  #end(key: string, { lane, unreachable }: Open, tookMs: number): void {
    this.#open.delete(key);
    this.#troubled.delete(key);
    this.#shares.giveBack(lane, tookMs);
    this.#shares.note(lane, unreachable);
    if (lane !== this.#lane) return;
    this.#pace = tookMs > slowMs ? 'slow' : tookMs <= quickMs ? 'quick' : 'neither';
  }

  #count(at: Instant): void {
    const [inUse, inLane] = [this.#open.size, this.#shares.of(this.#lane)];
    const before = at < this.#waited.dueAt;
    this.#most = before ? inUse : Math.max(this.#most, inUse);
    this.#mostInLane = before ? inLane : Math.max(this.#mostInLane, inLane);
  }

  #firstHolders(): readonly Holder[] {
    return [...this.#open.values()]
      .slice(0, mostHolders)
      .map(({ message, attempt, lane, startedAt }) => ({ message, attempt, lane, startedAt }));
  }
}
