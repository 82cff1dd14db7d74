/**
 * The embedded log: one SQLite file, one writer, group commit without a timer of its own.
 *
 * Appends are collected while the event loop drains what has arrived, then written in one
 * transaction with one sync; what arrives during the sync is the next batch. The writing hand
 * (`writer.ts`) may live in a thread of its own (docs/decisions/0002-embedded-log.md); this side
 * collects, answers and publishes, and reads over a connection of its own.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Observable } from 'rxjs';
import { Trouble } from '../../mail/trouble.ts';
import type { StagedBody } from '../../spool/ports.ts';
import { encode, refuseStrayBody } from '../encode.ts';
import { isLogTrouble } from '../health.ts';
import type {
  Appended,
  Damage,
  EventLog,
  LogSignal,
  NewEvent,
  Position,
  ReadAll,
  ReadStream,
  RecordedEvent,
  Revision,
  StreamName,
} from '../ports.ts';
import { subscribeTo } from '../subscription.ts';
import { Tail } from '../tail.ts';
import { Backlog, type Request } from './backlog.ts';
import { selectBody } from './bodies.ts';
import { Damages } from './damages.ts';
import { inlineHand, type Hand, type OpenHand } from './hand.ts';
import { lockDirectory, type DirectoryLock } from './lock.ts';
import { Pace, type CommitPace } from './pace.ts';
import { SqliteReader } from './reader.ts';
import { toStreamKey } from './rows.ts';
import { openForWriting, pageBytes } from './schema.ts';
import { toReadTrouble, toTrouble, unavailable } from './sqlite-trouble.ts';
import { clearSuspicion, closeSuspect, readSuspicion, type Cleared } from './suspect.ts';
import type { BatchResult } from './writer.ts';

export type SqliteLogOptions = {
  readonly onDamage?: (damage: Damage) => void;
  /** A batch was not written, for the log's own sake. */
  readonly onTrouble?: (trouble: Trouble) => void;
  /** When a commit waits for others; default: `Pace`. */
  readonly pace?: CommitPace;
  /** The log's file grows to this size and no further; then appends hear `log-full`. Default: the disk's end. */
  readonly maxBytes?: number;
  /** Where the writing is done; default: in this thread, which then waits for the disk. */
  readonly hand?: OpenHand;
};

export class SqliteLog implements EventLog {
  readonly #file: string;
  readonly #onTrouble: (trouble: Trouble) => void;
  readonly #lock: DirectoryLock;
  readonly #damages: Damages;
  readonly #pace: CommitPace;
  readonly #tail: Tail;
  /** For reading only: what it shows is what is committed. */
  readonly #db: DatabaseSync;
  readonly #reader: SqliteReader;
  readonly #bodyOf: StatementSync;
  readonly #hand: Hand;
  readonly #backlog = new Backlog();
  #scheduled: NodeJS.Immediate | undefined;
  #gathering: NodeJS.Timeout | undefined;
  #isCommitting = false;
  /** Whoever closes waits for the last batch. */
  #idle: (() => void) | undefined;
  /** After a sync that failed the kernel may have dropped the pages: nothing written here can be trusted. */
  #broken: Trouble | undefined;
  #closed = false;
  /** What was looked over at the start, where the last writer had left a suspect file. */
  readonly cleared: Cleared | undefined;
  readonly counts = { commits: 0, appends: 0, events: 0 };

  /**
   * Opens or makes the log at `file`. Throws `log-in-use` when another process writes to it,
   * `log-unavailable` when it cannot be written or is no log of ours, `log-damaged` beyond reading.
   */
  constructor(file: string, options: SqliteLogOptions = {}) {
    const { hand = inlineHand, maxBytes, onDamage, onTrouble = () => undefined } = options;
    this.#file = file;
    this.#onTrouble = onTrouble;
    this.#pace = options.pace ?? new Pace();
    this.#damages = new Damages(onDamage);
    this.#lock = lockDirectory(`${file}.lock`);
    let db: DatabaseSync | undefined;
    try {
      db = openForWriting(file);
      this.cleared = clearSuspicion(db, file);
      db.exec('PRAGMA query_only = ON; PRAGMA cache_size = -4096');
      this.#db = db;
      this.#reader = new SqliteReader(db, this.#damages);
      this.#bodyOf = db.prepare(selectBody);
      this.#tail = new Tail(this.#reader.head());
      this.#hand = hand(file, { maxBytes, onDamage: (damage) => this.#damages.report(damage) });
    } catch (cause) {
      db?.close();
      this.#lock.release();
      throw toTrouble(cause);
    }
  }

  append(
    stream: StreamName,
    expected: Revision,
    events: readonly NewEvent[],
    body?: StagedBody,
  ): Promise<Appended> {
    const refusal = this.#refusal();
    if (refusal !== undefined) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      refuseStrayBody(stream, expected, events, body);
      const texts = encode(events);
      const content = body?.inline;
      this.#backlog.push({ stream, expected, events, texts, content, resolve, reject });
      this.#schedule();
    });
  }

  async readStream(stream: StreamName, options?: ReadStream): Promise<readonly RecordedEvent[]> {
    return this.#opened().readStream(stream, options);
  }

  async readAll(options: ReadAll): Promise<readonly RecordedEvent[]> {
    const { after, direction, limit } = options;
    const young =
      direction === 'backwards' || after === undefined ? undefined : this.#tail.page(after, limit);
    return young ?? this.#opened().readAll(options);
  }

  async head(): Promise<Position> {
    return this.#tail.head;
  }

  subscribe(from: Position): Observable<LogSignal> {
    return subscribeTo(this, this.#tail.moved$, from);
  }

  damages(): readonly Damage[] {
    return this.#damages.all();
  }

  /** The bytes of a body that came with the first event of a letter. Throws `log-damaged`, `log-unavailable`. */
  readBody(stream: StreamName): Uint8Array | undefined {
    this.#opened();
    try {
      const row = this.#bodyOf.get(toStreamKey(stream));
      return (row as { content: Uint8Array } | undefined)?.content;
    } catch (cause) {
      throw toReadTrouble(cause);
    }
  }

  /** Bytes within the file that are free: so much can be written before it grows. */
  spareBytes(): number {
    this.#opened();
    const { freelist_count: pages } = this.#db.prepare('PRAGMA freelist_count').get() as {
      freelist_count: number;
    };
    return pages * pageBytes;
  }

  /**
   * Gives back the room of bodies that no letter needs. Without a sync of its own: the next append's
   * carries it to disk, and a power cut before that only leaves the bytes lying. Returns those that
   * have no body here.
   */
  async removeBodies(streams: readonly StreamName[]): Promise<readonly StreamName[]> {
    this.#opened();
    if (this.#broken !== undefined) throw this.#broken;
    return streams.length === 0 ? [] : this.#hand.removeBodies(streams);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#flush();
    // Refuses from now on, but what has been asked for is written.
    this.#closed = true;
    if (this.#isBusy) await new Promise<void>((resolve) => (this.#idle = resolve));
    this.#tail.close();
    try {
      await this.#hand.close();
      // Also when it was the last thing done that broke it.
      const isSuspect = this.#broken !== undefined || readSuspicion(this.#file) !== undefined;
      if (isSuspect) closeSuspect(this.#db, this.#file);
      else this.#db.close();
    } finally {
      this.#lock.release();
    }
  }

  get #isBusy(): boolean {
    return this.#isCommitting || this.#backlog.length > 0;
  }

  #refusal(): Trouble | undefined {
    if (this.#closed) return unavailable('the log is closed');
    if (this.#broken !== undefined) return this.#broken;
    if (!this.#backlog.isFull) return undefined;
    return new Trouble('busy', { tryAgain: true, peer: 'too much mail at once (#4.3.2)' });
  }

  /** After all that has arrived in this turn of the loop; a little later when others are sure to come. */
  #schedule(): void {
    if (this.#scheduled !== undefined || this.#isCommitting) return;
    if (this.#backlog.length < this.#pace.wanted(performance.now())) {
      this.#gathering ??= setTimeout(() => this.#flush(), this.#pace.gatherMs);
      return;
    }
    this.#scheduled = setImmediate(() => this.#flush());
  }

  #flush(): void {
    clearTimeout(this.#gathering);
    clearImmediate(this.#scheduled);
    this.#gathering = undefined;
    this.#scheduled = undefined;
    if (this.#isCommitting) return;
    const batch = this.#backlog.takeBatch();
    if (batch.length === 0) return;
    this.#isCommitting = true;
    this.#hand.commit(batch, (result) => this.#conclude(batch, result));
  }

  /** Answers come before the publication, so that an appender knows before its readers do. */
  #conclude(batch: readonly Request[], { answers, head, broken }: BatchResult): void {
    this.#isCommitting = false;
    this.#broken ??= broken;
    const events: RecordedEvent[] = [];
    const bytes: number[] = [];
    let appends = 0;
    let trouble: Trouble | undefined;
    for (const [index, answer] of answers.entries()) {
      const request = batch[index]!;
      if (answer instanceof Trouble) {
        if (answer !== trouble && isLogTrouble(answer)) this.#onTrouble((trouble = answer));
        request.reject(answer);
        continue;
      }
      const { revision, position, isNew } = answer;
      request.resolve({ revision, position });
      appends += 1;
      if (isNew) record(request, position, events, bytes);
    }
    if (appends > 0) {
      this.counts.commits += 1;
      this.counts.appends += appends;
      this.counts.events += events.length;
      this.#pace.note(batch.length, performance.now());
    }
    this.#publish(events, bytes, head);
    if (this.#backlog.length > 0) this.#again();
    else if (!this.#isBusy) this.#idle?.();
  }

  /** One commit a turn: between two, the loop reads its sockets. */
  #again(): void {
    if (this.#closed) this.#scheduled ??= setImmediate(() => this.#flush());
    else this.#schedule();
  }

  #publish(events: readonly RecordedEvent[], bytes: readonly number[], head = 0): void {
    const first = events[0]?.position ?? head + 1;
    if (first === this.#tail.head + 1) this.#tail.publish(events, bytes);
    // What a failed COMMIT wrote after all: subscribers must not step over it.
    while (this.#tail.head < head) {
      const missed = this.#reader.readAll({ after: this.#tail.head, limit: 1_000 });
      if (missed.length === 0) break;
      this.#tail.publish(missed);
    }
  }

  #opened(): SqliteReader {
    if (this.#closed) throw unavailable('the log is closed');
    return this.#reader;
  }
}

/** The events of an append as they stand in the log, `position` being that of the last. */
function record(
  { stream, expected, events, texts }: Request,
  position: Position,
  recorded: RecordedEvent[],
  bytes: number[],
): void {
  const before = position - events.length;
  for (const [index, { type, v, at, data }] of events.entries()) {
    const place = { stream, revision: expected + 1 + index, position: before + 1 + index };
    recorded.push({ type, v, at, data, ...place });
    bytes.push(texts[index]!.length);
  }
}
