/**
 * The embedded log: one SQLite file, one writer, group commit without a timer of its own.
 *
 * Appends are collected while the event loop drains what has arrived, then written in one
 * transaction with one sync; what arrives during the sync is the next batch. The commit blocks this
 * thread: the queue's process has nothing to do that could not wait for it
 * (docs/decisions/0002-embedded-log.md).
 *
 * Body and event are in the same transaction, so neither exists without the other. A stop before
 * COMMIT leaves nothing; after it, everything, though the caller may not have heard.
 */
import type { Observable } from 'rxjs';
import { RevisionConflict, Trouble } from '../../mail/trouble.ts';
import type { StagedBody } from '../../spool/ports.ts';
import { encode, refuseStrayBody } from '../encode.ts';
import { isRepetition } from '../idempotence.ts';
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
import { Damages } from './damages.ts';
import { HeadCache } from './head-cache.ts';
import { lockDirectory, type DirectoryLock } from './lock.ts';
import { Pace, type CommitPace } from './pace.ts';
import { checksum, toStreamKey } from './rows.ts';
import { isDamage, isOfOneRow, isSyncFailure, toTrouble, unavailable } from './sqlite-trouble.ts';
import { openStore, type Store } from './store.ts';

/** What a transaction has written so far. */
type Written = { readonly events: RecordedEvent[]; readonly bytes: number[] };

export type SqliteLogOptions = {
  readonly onDamage?: (damage: Damage) => void;
  /** When a commit waits for others; default: `Pace`. */
  readonly pace?: CommitPace;
  /** The log's file grows to this size and no further; then appends hear `log-full`. Default: the disk's end. */
  readonly maxBytes?: number;
};

const rememberedHeads = 100_000;

export class SqliteLog implements EventLog {
  readonly #file: string;
  readonly #options: SqliteLogOptions;
  readonly #lock: DirectoryLock;
  readonly #damages: Damages;
  readonly #pace: CommitPace;
  readonly #tail: Tail;
  /** Absent after a failure, until it could be opened anew. */
  #store: Store | undefined;
  #heads = new HeadCache(rememberedHeads);
  #next: Position;
  readonly #backlog = new Backlog();
  #scheduled: NodeJS.Immediate | undefined;
  #gathering: NodeJS.Timeout | undefined;
  /** After a sync that failed the kernel may have dropped the pages: nothing written here can be trusted. */
  #broken: Trouble | undefined;
  #closed = false;
  readonly counts = { commits: 0, appends: 0, events: 0 };

  /**
   * Opens or makes the log at `file`. Throws `log-in-use` when another process writes to it,
   * `log-unavailable` when it cannot be written or is no log of ours, `log-damaged` beyond reading.
   */
  constructor(file: string, options: SqliteLogOptions = {}) {
    this.#file = file;
    this.#options = options;
    this.#pace = options.pace ?? new Pace();
    this.#damages = new Damages(options.onDamage);
    this.#lock = lockDirectory(`${file}.lock`);
    try {
      this.#store = openStore(file, this.#damages, options.maxBytes);
      this.#next = this.#store.reader.head() + 1;
    } catch (cause) {
      this.#store?.db.close();
      this.#lock.release();
      throw cause;
    }
    this.#tail = new Tail(this.#next - 1);
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
      this.#backlog.push({ stream, expected, events, texts, body, resolve, reject });
      this.#schedule();
    });
  }

  async readStream(stream: StreamName, options?: ReadStream): Promise<readonly RecordedEvent[]> {
    return this.#opened().reader.readStream(stream, options);
  }

  async readAll(options: ReadAll): Promise<readonly RecordedEvent[]> {
    const { after, direction, limit } = options;
    const young =
      direction === 'backwards' || after === undefined ? undefined : this.#tail.page(after, limit);
    return young ?? this.#opened().reader.readAll(options);
  }

  async head(): Promise<Position> {
    return this.#next - 1;
  }

  subscribe(from: Position): Observable<LogSignal> {
    return subscribeTo(this, this.#tail.moved$, from);
  }

  damages(): readonly Damage[] {
    return this.#damages.all();
  }

  /** The bytes of a body that came with the first event of a letter. Throws `log-damaged`, `log-unavailable`. */
  readBody(stream: StreamName): Uint8Array | undefined {
    try {
      const row = this.#opened().bodyOf.get(toStreamKey(stream));
      return (row as { content: Uint8Array } | undefined)?.content;
    } catch (cause) {
      throw toTrouble(cause);
    }
  }

  /**
   * Gives back the room of bodies that no letter needs. Without a sync of its own: the next append's
   * carries it to disk, and a power cut before that only leaves the bytes lying. Returns those that
   * have no body here.
   */
  removeBodies(streams: readonly StreamName[]): readonly StreamName[] {
    if (streams.length === 0) return [];
    if (this.#broken !== undefined) throw this.#broken;
    try {
      const { db, begin, commit, dropBody } = this.#opened();
      db.exec('PRAGMA synchronous = NORMAL');
      begin.run();
      const others = streams.filter((stream) => dropBody.run(toStreamKey(stream)).changes === 0);
      commit.run();
      db.exec('PRAGMA synchronous = FULL');
      return others;
    } catch (cause) {
      if (!this.#closed) this.#abandon(cause);
      throw toTrouble(cause);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    while (this.#backlog.length > 0) this.#flush();
    this.#closed = true;
    this.#tail.close();
    try {
      this.#store?.db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // A reader holds it open, or the disk is full; the next start folds it back.
    }
    try {
      this.#store?.db.close();
    } finally {
      this.#lock.release();
    }
  }

  #refusal(): Trouble | undefined {
    if (this.#closed) return unavailable('the log is closed');
    if (this.#broken !== undefined) return this.#broken;
    if (!this.#backlog.isFull) return undefined;
    return new Trouble('busy', { tryAgain: true, peer: 'too much mail at once (#4.3.2)' });
  }

  /** After all that has arrived in this turn of the loop; a little later when others are sure to come. */
  #schedule(): void {
    if (this.#scheduled !== undefined) return;
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
    const batch = this.#backlog.takeBatch();
    if (batch.length > 0) this.#commit(batch);
    // One commit a turn: between two, the loop reads its sockets.
    if (this.#backlog.length > 0) this.#scheduled ??= setImmediate(() => this.#flush());
  }

  #commit(batch: readonly Request[]): void {
    const written: Written = { events: [], bytes: [] };
    const answers: (() => void)[] = [];
    let isWritten = false;
    try {
      if (this.#broken !== undefined) throw this.#broken;
      const store = this.#opened();
      store.begin.run();
      for (const request of batch) answers.push(this.#write(store, request, written));
      isWritten = true;
      store.commit.run();
    } catch (cause) {
      this.#abandon(cause);
      // Nothing was committed, and one append may be the only culprit: each gets a commit of its own.
      if (!isWritten && batch.length > 1 && isOfOneRow(cause)) {
        for (const request of batch) this.#commit([request]);
        return;
      }
      for (const { reject } of batch) reject(toTrouble(cause));
      return;
    }
    this.counts.commits += 1;
    this.#pace.note(batch.length, performance.now());
    this.counts.appends += batch.length;
    this.counts.events += written.events.length;
    for (const answer of answers) answer();
    this.#tail.publish(written.events, written.bytes);
  }

  /** Writes one append into the open transaction, or finds why not; the answer waits for the commit. */
  #write(store: Store, request: Request, written: Written): () => void {
    const { stream, expected, events, texts, body, resolve, reject } = request;
    try {
      const head = this.#heads.get(stream) ?? store.reader.revision(stream);
      if (head !== expected) return this.#answerConflict(store, request, head);
    } catch (cause) {
      // Reading failed, nothing was written: this append's own trouble. All else ends the batch.
      if (!isDamage(cause)) throw cause;
      return () => reject(toTrouble(cause));
    }
    const key = toStreamKey(stream);
    if (body?.inline !== undefined) store.insertBody.run(this.#next, body.inline);
    for (const [index, { type, v, at, data }] of events.entries()) {
      const json = texts[index]!;
      const position = this.#next++;
      const revision = expected + 1 + index;
      const sum = checksum({ position, stream, revision, type, v, at, json });
      store.insert.run(position, key, revision, store.typeId(type, v), at, sum, json);
      written.events.push({ type, v, at, data, stream, revision, position });
      written.bytes.push(json.length);
    }
    const appended = { revision: expected + events.length, position: this.#next - 1 };
    this.#heads.set(stream, appended.revision);
    return () => resolve(appended);
  }

  #answerConflict(store: Store, request: Request, head: Revision): () => void {
    const { stream, expected, events, resolve, reject } = request;
    const there =
      head > expected
        ? store.reader.readStream(stream, { from: expected + 1, limit: events.length })
        : [];
    const last = there.at(-1);
    if (last !== undefined && isRepetition(events, there)) {
      return () => resolve({ revision: last.revision, position: last.position });
    }
    return () => reject(new RevisionConflict(stream, expected, head));
  }

  /**
   * The transaction did not become durable, or nobody can say whether it did: all that was
   * remembered is forgotten, and the file is opened anew, now or when it is next needed.
   */
  #abandon(cause: unknown): void {
    if (isSyncFailure(cause)) this.#broken = toTrouble(cause);
    this.#next = this.#tail.head + 1;
    this.#heads = new HeadCache(rememberedHeads);
    try {
      this.#store?.db.close();
    } catch {
      // It may refuse with a transaction open; its descriptors go with the process.
    }
    this.#store = undefined;
    try {
      this.#opened();
    } catch {
      // Whoever needs it next hears why.
    }
  }

  #opened(): Store {
    if (this.#closed) throw unavailable('the log is closed');
    if (this.#store !== undefined) return this.#store;
    const store = openStore(this.#file, this.#damages, this.#options.maxBytes);
    try {
      this.#next = store.reader.head() + 1;
      // What a failed COMMIT wrote after all: subscribers must not step over it.
      while (this.#tail.head < this.#next - 1) {
        const missed = store.reader.readAll({ after: this.#tail.head, limit: 1_000 });
        if (missed.length === 0) break;
        this.#tail.publish(missed);
      }
    } catch (cause) {
      store.db.close();
      throw cause;
    }
    this.#store = store;
    return store;
  }
}
