/**
 * The writing hand of the embedded log: batches of appends into one transaction with one sync each.
 * Synchronous, and it knows no caller: `SqliteLog` gives it batches, in this thread or from another.
 *
 * Body and event are in the same transaction, so neither exists without the other. A stop before
 * COMMIT leaves nothing; after it, everything, though the caller may not have heard.
 */
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { RevisionConflict, type Trouble } from '../../mail/trouble.ts';
import { isRepetition } from '../idempotence.ts';
import type { Damage, NewEvent, Position, Revision, StreamName } from '../ports.ts';
import { Damages } from './damages.ts';
import { HeadCache } from './head-cache.ts';
import { checksum, toStreamKey } from './rows.ts';
import { damaged, isDamage, isOfOneRow, isSyncFailure, toTrouble } from './sqlite-trouble.ts';
import { openStore, type Store } from './store.ts';
import { closeSuspect, markSuspect } from './suspect.ts';

/** One append: `events` without their data, which stands in `texts` as JSON. */
export type WriteRequest = {
  readonly stream: StreamName;
  readonly expected: Revision;
  readonly events: readonly Pick<NewEvent, 'type' | 'v' | 'at'>[];
  readonly texts: readonly string[];
  readonly content: Uint8Array | undefined;
};

/** `isNew`: written now; otherwise it was there already, word for word. */
export type Written = {
  readonly isNew: boolean;
  readonly revision: Revision;
  /** Of the last event. */
  readonly position: Position;
};

export type BatchResult = {
  /** One per request, in order. */
  readonly answers: readonly (Written | Trouble)[];
  /** Position of the log's last event, where the file could be opened. */
  readonly head: Position | undefined;
  /** Set for good after a sync that failed: nothing will be written to this file again. */
  readonly broken: Trouble | undefined;
};

export type WriterOptions = {
  readonly onDamage?: (damage: Damage) => void;
  readonly maxBytes?: number | undefined;
};

const rememberedHeads = 100_000;

/** The write-ahead log is folded back into the file when about so many of its frames are new. */
const foldFrames = 4_000;
/** Or about so many, on a disk with little room: the write-ahead log must not be what fills it. */
const littleFoldFrames = 500;
const littleRoomBytes = 256 * 1024 * 1024;
/** With so many that could not be folded back, nothing more is written: the disk would fill up unseen. */
const mostFrames = 20 * foldFrames;
/** A commit writes about so many frames besides those that its own bytes fill: inner pages, right edges. */
const framesPerCommit = 8;
const frameBytes = 8192;

export class LogWriter {
  readonly #file: string;
  readonly #maxBytes: number | undefined;
  readonly #damages: Damages;
  /** Absent after a failure, until it could be opened anew. */
  #store: Store | undefined;
  #heads = new HeadCache(rememberedHeads);
  #next: Position = 0;
  /** After a sync that failed the kernel may have dropped the pages: nothing written here can be trusted. */
  #broken: Trouble | undefined;
  #frames = 0;
  /** Whether what this store wrote was found again. */
  #proved = false;
  /** From so many frames on, the next quiet moment is for folding. */
  #foldAt: number;

  /** Opens or makes the log. Throws `log-unavailable` or `log-damaged`. */
  constructor(file: string, options: WriterOptions = {}) {
    this.#file = file;
    this.#maxBytes = options.maxBytes;
    this.#damages = new Damages(options.onDamage);
    this.#foldAt = framesUntilFold(file);
    this.#opened();
  }

  /** Position of the last event. */
  get head(): Position {
    return this.#next - 1;
  }

  commit(batch: readonly WriteRequest[]): BatchResult {
    const answers = this.#commit(batch);
    const head = this.#store === undefined ? undefined : this.head;
    return { answers, head, broken: this.#broken };
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
      this.#frames += framesPerCommit + streams.length / 2;
      return others;
    } catch (cause) {
      this.#abandon(cause);
      throw toTrouble(cause);
    }
  }

  /** Between two commits, when nobody waits for an answer: folds the write-ahead log back if it has grown. */
  tidy(): void {
    if (this.#frames < this.#foldAt || this.#store === undefined || this.#broken !== undefined) {
      return;
    }
    try {
      this.#fold(this.#store);
    } catch (cause) {
      this.#foldAt = this.#frames + foldFrames;
      this.#abandon(cause);
    }
  }

  close(): void {
    if (this.#broken !== undefined) return;
    try {
      this.#store?.db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch (cause) {
      // A reader holds it open, or the disk is full; the next start folds it back.
      if (isSyncFailure(cause)) return this.#break(toTrouble(cause));
    }
    this.#store?.db.close();
    this.#store = undefined;
  }

  #commit(batch: readonly WriteRequest[]): (Written | Trouble)[] {
    let isWritten = false;
    try {
      if (this.#broken !== undefined) throw this.#broken;
      const store = this.#opened();
      if (this.#frames >= mostFrames) this.#fold(store);
      store.begin.run();
      const answers = batch.map((request) => this.#write(store, request));
      isWritten = true;
      store.commit.run();
      this.#frames += framesPerCommit;
      if (!this.#proved) this.#prove(store, batch, answers);
      return answers;
    } catch (cause) {
      this.#abandon(cause);
      // Nothing was committed, and one append may be the only culprit: each gets a commit of its own.
      if (!isWritten && batch.length > 1 && isOfOneRow(cause)) {
        return batch.flatMap((request) => this.#commit([request]));
      }
      const trouble = toTrouble(cause);
      return batch.map(() => trouble);
    }
  }

  /**
   * What the first commit wrote is read back: a page whose order was damaged on disk takes new rows where
   * no reader looks for them. Throws `log-damaged`, as often as it is so.
   */
  #prove(
    { reader }: Store,
    batch: readonly WriteRequest[],
    answers: readonly (Written | Trouble)[],
  ): void {
    const [index, written] = [...answers.entries()].find(([, answer]) => 'isNew' in answer) ?? [];
    if (index === undefined || written === undefined || !('isNew' in written)) return;
    const { stream } = batch[index]!;
    const { position, revision } = written;
    const [last] = reader.readStream(stream, { from: revision, limit: 1 });
    const [there] = reader.readAll({ after: position - 1, limit: 1 });
    if (last?.position !== position || there?.stream !== stream) {
      throw damaged(`event ${position} was written and cannot be found: see waybill verify`);
    }
    this.#proved = true;
  }

  /** Writes one append into the open transaction, or finds why not; the answer counts after the commit. */
  #write(store: Store, request: WriteRequest): Written | Trouble {
    const { stream, expected, events, texts, content } = request;
    try {
      const head = this.#heads.get(stream) ?? store.reader.revision(stream);
      if (head !== expected) return this.#answerConflict(store, request, head);
    } catch (cause) {
      // Reading failed, nothing was written: this append's own trouble. All else ends the batch, above
      // all a disk that could not be read, with which SQLite has ended the transaction.
      if (!isDamage(cause) || !store.db.isTransaction) throw cause;
      return toTrouble(cause);
    }
    const key = toStreamKey(stream);
    let bytes = content?.byteLength ?? 0;
    if (content !== undefined) store.insertBody.run(this.#next, content);
    for (const [index, { type, v, at }] of events.entries()) {
      const json = texts[index]!;
      const position = this.#next++;
      const revision = expected + 1 + index;
      const sum = checksum({ position, stream, revision, type, v, at, json });
      store.insert.run(position, key, revision, store.typeId(type, v), at, sum, json);
      bytes += json.length;
    }
    this.#frames += bytes / frameBytes;
    const revision = expected + events.length;
    this.#heads.set(stream, revision);
    return { isNew: true, revision, position: this.#next - 1 };
  }

  #answerConflict(store: Store, request: WriteRequest, head: Revision): Written | Trouble {
    const { stream, expected, events, texts } = request;
    const there =
      head > expected
        ? store.reader.readStream(stream, { from: expected + 1, limit: events.length })
        : [];
    const last = there.at(-1);
    const asked = events.map((event, index) => ({
      ...event,
      data: JSON.parse(texts[index]!) as unknown,
    }));
    if (last !== undefined && isRepetition(asked, there)) {
      return { isNew: false, revision: last.revision, position: last.position };
    }
    return new RevisionConflict(stream, expected, head);
  }

  /**
   * The transaction did not become durable, or nobody can say whether it did: all that was
   * remembered is forgotten, and the file is opened anew, now or when it is next needed.
   */
  #abandon(cause: unknown): void {
    if (isSyncFailure(cause)) this.#break(toTrouble(cause));
    if (this.#broken !== undefined) return;
    this.#heads = new HeadCache(rememberedHeads);
    try {
      this.#store?.db.close();
    } catch {
      // It may refuse with a transaction open; its descriptors go with the process.
    }
    this.#store = undefined;
    this.#proved = false;
    try {
      this.#opened();
    } catch {
      // Whoever needs it next hears why.
    }
  }

  /** Passive: never waits for a reader; what it could not fold comes with the next time. */
  #fold({ db }: Store): void {
    db.exec('PRAGMA wal_checkpoint(PASSIVE)');
    this.#frames = 0;
    this.#foldAt = framesUntilFold(this.#file);
  }

  /** Leaves the file as it is: nothing more is written to it, and nothing folded back. */
  #break(trouble: Trouble): void {
    this.#broken = trouble;
    markSuspect(this.#file, trouble.message);
    if (this.#store !== undefined) closeSuspect(this.#store.db, this.#file);
    this.#store = undefined;
  }

  #opened(): Store {
    if (this.#store !== undefined) return this.#store;
    const store = openStore(this.#file, this.#damages, this.#maxBytes);
    try {
      this.#next = store.reader.head() + 1;
    } catch (cause) {
      store.db.close();
      throw cause;
    }
    this.#store = store;
    return store;
  }
}

/** Asked when a fold was made, not at each commit. */
function framesUntilFold(file: string): number {
  try {
    const { bavail, bsize } = statfsSync(dirname(file));
    return bavail * bsize >= littleRoomBytes ? foldFrames : littleFoldFrames;
  } catch {
    return foldFrames;
  }
}
