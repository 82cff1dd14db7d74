/**
 * Who gets the next slot. Watches the agenda's rows, orders the waiting ones by due time, keeps the
 * due ones in a lane per destination (`due-lanes.ts`), and hands out jobs only as slots fall free: nothing
 * queues up behind it.
 *
 * Fair three ways. Lanes take turns. Within a lane, new mail and retries take turns, so that neither
 * starves the other (qmail's "silly" syndrome). And no lane may hold more than its share of the slots
 * (`lane-shares.ts`). A lane in trouble (no connection at its last attempt) gets one slot, and all such
 * lanes together at most a quarter of them.
 */
import { Subject, type Observable } from 'rxjs';
import { rowStatus, type Row } from '../../projections/agenda-rows.ts';
import type { AgendaTable, AgendaWatcher } from '../../projections/agenda-table.ts';
import type { MessageId, RecipientNo } from '../mail/envelope.ts';
import type { Cancel, Clock, Instant, Moment } from '../platform/clock.ts';
import { DueHeap } from './due-heap.ts';
import { DueLanes, type Taken } from './due-lanes.ts';
import { place, RowPlaces } from './row-places.ts';

/** Permission to attempt some recipients of one letter; must be given back with `release`. */
export type Job = Taken & {
  readonly no: number;
  readonly message: MessageId;
  readonly rcpts: readonly RecipientNo[];
  readonly takenAt: Moment;
};

export type Slots = { readonly local: number; readonly remote: number };

export type SchedulerOptions = {
  readonly clock: Clock;
  /** `concurrencylocal` and `concurrencyremote`, asked each time: 0 puts a channel on hold. */
  readonly slots: () => Slots;
  /** Most recipients in one attempt (RFC 5321 §4.5.3.1.8: a server takes at least 100). */
  readonly maxRecipients?: number;
  /** Where several nodes share the log: others' letters are not handed out. */
  readonly isMine?: (message: MessageId) => boolean;
};

export class Scheduler implements AgendaWatcher {
  readonly #table: AgendaTable;
  readonly #options: SchedulerOptions;
  readonly #heap: DueHeap;
  readonly #lanes: DueLanes;
  readonly #stirred = new Subject<void>();
  readonly #places = new RowPlaces();
  readonly #parked = new Set<MessageId>();
  /** Jobs that hold a slot, by number. */
  readonly #busy = new Set<number>();
  #jobs = 0;
  #alarm: Cancel | undefined;
  #alarmAt: Instant = Infinity;
  #stirring = false;
  #stopped = true;

  constructor(table: AgendaTable, options: SchedulerOptions) {
    this.#table = table;
    this.#options = options;
    this.#heap = new DueHeap((row) => table.due[row]!);
    // RFC 5321 §4.5.3.1.8: a server takes at least so many.
    this.#lanes = new DueLanes(table, options.maxRecipients ?? 100);
  }

  /** Emits when `take` may have something to give: work fell due, a slot fell free. */
  get stirred$(): Observable<void> {
    return this.#stirred;
  }

  /** Jobs handed out and not yet given back. */
  get active(): Slots {
    return { local: this.#lanes.active('local'), remote: this.#lanes.active('remote') };
  }

  /** Takes over all rows that wait in the table and starts handing out jobs. */
  start(): void {
    this.#table.watcher = this;
    for (const letter of this.#table.openLetters()) {
      if (this.#table.isHeld(letter)) continue;
      for (const row of this.#table.rowsOf(letter)) {
        if (this.#table.status[row] === rowStatus.waiting) this.waits(row);
      }
    }
    this.#stopped = false;
    this.stir();
  }

  /** Hands out nothing more; what is out may finish. */
  stop(): void {
    this.#stopped = true;
    this.#alarm?.();
    this.#alarm = undefined;
  }

  /** A letter that cannot be read back is left alone for so long, or until the next start. */
  park(message: MessageId, forMs = Infinity): void {
    this.#parked.add(message);
    const { clock } = this.#options;
    if (forMs < Infinity) clock.after(forMs, () => this.#unpark(message));
    const letter = this.#table.letterNo(message);
    if (letter === undefined) return;
    for (const row of this.#table.rowsOf(letter)) this.rests(row);
  }

  #unpark(message: MessageId): void {
    this.#parked.delete(message);
    const letter = this.#table.letterNo(message);
    if (letter === undefined || this.#table.isHeld(letter)) return;
    for (const row of this.#table.rowsOf(letter)) {
      if (this.#table.status[row] === rowStatus.waiting) this.waits(row);
    }
  }

  /** Whose the letter is has changed. */
  reconsider(message: MessageId): void {
    const letter = this.#table.letterNo(message);
    if (letter === undefined || this.#table.isHeld(letter)) return;
    for (const row of this.#table.rowsOf(letter)) {
      const isIdle = this.#places.of(row) < place.taken;
      if (!isIdle || this.#table.status[row] !== rowStatus.waiting) continue;
      if (this.#options.isMine?.(message) === false) this.rests(row);
      else this.waits(row);
    }
  }

  waits(row: Row): void {
    if (this.#places.of(row) >= place.taken) return;
    if (this.#parked.size > 0 && this.#parked.has(this.#idOf(row))) return;
    const { isMine } = this.#options;
    if (isMine !== undefined && !isMine(this.#idOf(row))) return;
    if (this.#places.of(row) === place.lane) this.#lanes.leave(row);
    if (this.#table.due[row]! <= this.#options.clock.now()) {
      this.#heap.remove(row);
      this.#enterLane(row);
      this.stir();
    } else {
      this.#heap.put(row);
      this.#places.put(row, place.heap);
      this.#setAlarm();
    }
  }

  /** A row that is out with a job stays with it; `release` sees what became of it. */
  rests(row: Row): void {
    if (this.#places.of(row) >= place.taken) {
      this.#hear(row);
      return;
    }
    if (this.#places.of(row) === place.heap) this.#heap.remove(row);
    if (this.#places.of(row) === place.lane) this.#lanes.leave(row);
    this.#places.put(row, place.nowhere);
  }

  /** The next job, if work is due and a slot is free for it. */
  take(): Job | undefined {
    if (this.#stopped) return undefined;
    this.#fallDue();
    const slots = this.#options.slots();
    // Local first: it is short, and what it forwards feeds the other.
    const taken =
      this.#lanes.take('local', slots.local) ?? this.#lanes.take('remote', slots.remote);
    return taken && this.#makeJob(taken);
  }

  /** The log has an attempt for these recipients of the job; its other rows are free for other jobs. */
  started(job: Job, rcpts: readonly RecipientNo[]): void {
    const under = new Set(rcpts);
    job.rows.forEach((row, index) => {
      if (!this.#places.isOutWith(row, job.no)) return;
      if (!under.has(job.rcpts[index]!)) this.#giveBack(row);
      else if (this.#table.status[row] !== rowStatus.attempting) this.#places.put(row, place.ahead);
    });
  }

  /**
   * The attempt is over: another job may have its slot while its verdict is being recorded. `trouble`:
   * whether the lane's destination could not be reached at all; absent when nobody tried.
   */
  free(job: Job, trouble?: boolean): void {
    if (!this.#busy.delete(job.no)) return;
    this.#lanes.free(job, this.#options.clock.steady() - job.takenAt, trouble);
    this.stir();
  }

  /** Gives the job back, and its slot if it still has it. */
  release(job: Job, trouble?: boolean): void {
    this.free(job, trouble);
    this.#lanes.done(job.channel);
    for (const row of job.rows) {
      if (!this.#places.isOutWith(row, job.no)) continue;
      if (this.#places.of(row) === place.ahead) this.#places.put(row, place.unheard);
      else this.#giveBack(row);
    }
    this.stir();
  }

  #giveBack(row: Row): void {
    this.#places.put(row, place.nowhere);
    const waits = this.#table.status[row] === rowStatus.waiting;
    if (waits && !this.#table.isHeld(this.#table.letter[row]!)) this.waits(row);
  }

  /** The table hears of the attempt that was ahead of it. (Of a letter on hold none is started.) */
  #hear(row: Row): void {
    if (this.#table.isHeld(this.#table.letter[row]!)) return;
    if (this.#places.of(row) === place.ahead) this.#places.put(row, place.taken);
    if (this.#places.of(row) === place.unheard) this.#places.put(row, place.nowhere);
  }

  /** Moves all rows whose time has come from the heap to their lanes. */
  #fallDue(): void {
    const now = this.#options.clock.now();
    for (let row = this.#heap.peek(); row !== undefined; row = this.#heap.peek()) {
      if (this.#table.due[row]! > now) break;
      this.#heap.remove(row);
      this.#enterLane(row);
    }
    this.#setAlarm();
  }

  #makeJob(taken: Taken): Job {
    const { rows } = taken;
    const no = (this.#jobs = (this.#jobs + 1) % 0x7fffffff);
    for (const row of rows) this.#places.take(row, no);
    this.#busy.add(no);
    const takenAt = this.#options.clock.steady();
    const rcpts = rows.map((row) => this.#table.rcpt[row]!);
    return { ...taken, no, message: this.#idOf(rows[0]!), rcpts, takenAt };
  }

  #enterLane(row: Row): void {
    this.#places.put(row, place.lane);
    this.#lanes.enter(row);
  }

  /** One alarm for the whole queue: for whatever is due first. */
  #setAlarm(): void {
    const row = this.#heap.peek();
    const due = row === undefined ? Infinity : this.#table.due[row]!;
    if (due === this.#alarmAt && this.#alarm !== undefined) return;
    this.#alarm?.();
    this.#alarm = undefined;
    this.#alarmAt = due;
    if (due === Infinity || this.#stopped) return;
    this.#alarm = this.#options.clock.at(due, () => {
      this.#alarm = undefined;
      this.#stirred.next();
    });
  }

  /** Once per turn, however many rows changed in it. */
  stir(): void {
    if (this.#stirring || this.#stopped) return;
    this.#stirring = true;
    queueMicrotask(() => {
      this.#stirring = false;
      this.#stirred.next();
    });
  }

  #idOf(row: Row): MessageId {
    return this.#table.idOf(this.#table.letter[row]!);
  }
}
