/**
 * Reads the embedded log: rows to events, each checked against its sum. Used by the writer itself
 * and, read-only, by every other process. Each call ends its read transaction before it returns,
 * so that no reader keeps the write-ahead log from being folded back.
 *
 * Positions are dense here. A page of rows that is not, or that SQLite cannot read, is put together
 * again event by event (`#salvage`), and what is lost is named.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import {
  logStart,
  noStream,
  type EventText,
  type Position,
  type ReadAll,
  type ReadStream,
  type RecordedEvent,
  type Revision,
  type StreamName,
} from '../ports.ts';
import type { Damages } from './damages.ts';
import { checksum, letterStream, toStreamKey } from './rows.ts';
import { damaged, isDamage, toReadTrouble, toTrouble } from './sqlite-trouble.ts';

/**
 * As SQLite gives it; in a damaged file any column may be of any type. An array, and the key of a letter's
 * stream as hex digits: made of objects and blobs, a page takes more than twice as long.
 */
type Row = readonly [
  pos: number,
  stream: string,
  rev: number,
  type: number,
  at: number,
  sum: number,
  data: string,
];

/** Before a stream's own name, so that it is not taken for digits. */
const textMark = '=';
const columns = `SELECT pos, CASE typeof(stream) WHEN 'blob' THEN hex(stream) ELSE '${textMark}' || stream END,
  rev, type, at, sum, data FROM event`;
/** SQLite takes no Infinity for a limit. */
const everything = 2 ** 31;
/** So many damaged events at the log's end are stepped over to find its head. */
const headSearch = 1_000;

export class SqliteReader {
  readonly #damages: Damages;
  readonly #forwards: StatementSync;
  readonly #backwards: StatementSync;
  readonly #stream: StatementSync;
  readonly #streamBackwards: StatementSync;
  readonly #one: StatementSync;
  readonly #indexedHead: StatementSync;
  readonly #revision: StatementSync;
  readonly #allTypes: StatementSync;
  readonly #types = new Map<number, { name: string; v: number }>();

  constructor(db: DatabaseSync, damages: Damages) {
    this.#damages = damages;
    this.#forwards = db.prepare(`${columns} WHERE pos > ? ORDER BY pos LIMIT ?`);
    this.#backwards = db.prepare(`${columns} WHERE pos < ? ORDER BY pos DESC LIMIT ?`);
    this.#stream = db.prepare(`${columns} WHERE stream = ? AND rev >= ? ORDER BY rev LIMIT ?`);
    this.#streamBackwards = db.prepare(
      `${columns} WHERE stream = ? AND rev <= ? ORDER BY rev DESC LIMIT ?`,
    );
    this.#one = db.prepare(`${columns} WHERE pos = ?`);
    for (const rows of [
      this.#forwards,
      this.#backwards,
      this.#stream,
      this.#streamBackwards,
      this.#one,
    ]) {
      rows.setReturnArrays(true);
    }
    this.#indexedHead = db.prepare('SELECT max(pos) AS pos FROM event INDEXED BY event_stream');
    this.#revision = db.prepare('SELECT max(rev) AS rev FROM event WHERE stream = ?');
    this.#allTypes = db.prepare('SELECT tid, name, v FROM type');
  }

  /** A page in log order. A damaged event is left out and named in the damages. */
  readAll(options: ReadAll): RecordedEvent[] {
    return this.#readAll(options, (row) => this.#toEvent(row));
  }

  /** The same, for whoever wants the events' data as the text that it is: nothing is parsed. */
  readTexts(options: ReadAll): EventText[] {
    return this.#readAll(options, (row) => this.#toText(row));
  }

  #readAll<T>(
    { after, direction = 'forwards', limit }: ReadAll,
    read: (row: Row) => T | undefined,
  ): T[] {
    const step = direction === 'forwards' ? 1 : -1;
    let cursor = step === 1 ? (after ?? logStart) : Math.min(after ?? Infinity, this.head() + 1);
    const events: T[] = [];
    // Damaged rows are left out, so one page may take several reads to fill.
    while (events.length < limit) {
      const wanted = Math.min(limit - events.length, everything);
      const rows = this.#page(step, cursor, wanted);
      for (const row of rows) {
        const event = row === undefined ? undefined : read(row);
        if (event !== undefined) events.push(event);
      }
      cursor += step * rows.length;
      if (rows.length < wanted) break;
    }
    return events;
  }

  /** The events of a stream. Throws `log-damaged` when one of those asked for is. */
  readStream(stream: StreamName, options: ReadStream = {}): RecordedEvent[] {
    const { from, direction = 'forwards', limit = everything } = options;
    const step = direction === 'forwards' ? 1 : -1;
    const start = from ?? (step === 1 ? 0 : everything);
    const rows = this.#rowsOf(stream, step, start, Math.min(limit, everything));
    // Backwards, the first row says where the stream ends; forwards, the asker did.
    const first = step === 1 ? Math.max(0, start) : (rows[0]?.[2] ?? 0);
    return rows.map((row, index) => {
      if (row[2] !== first + step * index) throw this.#lost(stream, first + step * index);
      const event = this.#toEvent(row);
      if (event === undefined) throw damaged(`event ${row[0]} of ${stream} is damaged`);
      return event;
    });
  }

  /** Position of the last event; a damaged end counts, so that no position is ever given twice. */
  head(): Position {
    try {
      for (const depth of [1, headSearch]) {
        const rows = this.#backwards.all(Number.MAX_SAFE_INTEGER, depth) as unknown as Row[];
        if (rows.length === 0) return logStart;
        const sound = rows.findIndex((row) => this.#event(row) !== undefined);
        if (sound >= 0) return rows[sound]![0] + sound;
      }
    } catch (cause) {
      if (!isDamage(cause)) throw toTrouble(cause);
    }
    return this.#headOfIndex();
  }

  /** Revision of the stream's last event, `noStream` when it has none. */
  revision(stream: StreamName): Revision {
    const key = toStreamKey(stream);
    const [row] = this.#read(() => [this.#revision.get(key)]) as unknown as [
      { rev: number | null },
    ];
    return row.rev ?? noStream;
  }

  #rowsOf(stream: StreamName, step: 1 | -1, start: Revision, limit: number): Row[] {
    const key = toStreamKey(stream);
    const statement = step === 1 ? this.#stream : this.#streamBackwards;
    const read = () => this.#read(() => statement.all(key, start, limit));
    const rows = read();
    if (step === -1 || rows.length === 0 || rows.length === limit) return rows;
    // Asked from its other end the index must agree, or it hides the youngest events.
    const end = this.revision(stream);
    if (rows.at(-1)![2] === end) return rows;
    // Another process may have written some just now; then they are there at the second look.
    const again = read();
    if ((again.at(-1)?.[2] ?? noStream) >= end) return again;
    throw this.#lost(stream, rows.at(-1)![2] + 1);
  }

  /** The rows next to `cursor`, position by position; `undefined` stands for one that is lost. */
  #page(step: 1 | -1, cursor: Position, limit: number): readonly (Row | undefined)[] {
    const statement = step === 1 ? this.#forwards : this.#backwards;
    let rows: Row[] = [];
    try {
      rows = statement.all(cursor, limit) as unknown as Row[];
      if (rows.every((row, index) => row[0] === cursor + step * (index + 1))) return rows;
    } catch (cause) {
      if (!isDamage(cause)) throw toTrouble(cause);
    }
    return this.#salvage(step, cursor, limit, rows);
  }

  /** What was scanned is trusted where its sum fits its position; the rest is looked up one by one. */
  #salvage(
    step: 1 | -1,
    cursor: Position,
    limit: number,
    scanned: readonly Row[],
  ): (Row | undefined)[] {
    const sound = new Map<Position, Row>();
    for (const row of scanned) if (this.#event(row) !== undefined) sound.set(row[0], row);
    const head = this.head();
    const rows: (Row | undefined)[] = [];
    for (
      let pos = cursor + step;
      pos > logStart && pos <= head && rows.length < limit;
      pos += step
    ) {
      rows.push(sound.get(pos) ?? this.#find(pos));
    }
    return rows;
  }

  #find(pos: Position): Row | undefined {
    try {
      const row = this.#one.get(pos) as unknown as Row | undefined;
      if (row !== undefined) return row;
      this.#damages.report({ position: pos, stream: undefined, what: 'not where it should be' });
    } catch (cause) {
      if (!isDamage(cause)) throw toTrouble(cause);
      this.#damages.report({
        position: pos,
        stream: undefined,
        what: `unreadable: ${text(cause)}`,
      });
    }
    return undefined;
  }

  #toEvent(row: Row): RecordedEvent | undefined {
    return this.#event(row) ?? this.#damaged(row);
  }

  #toText(row: Row): EventText | undefined {
    return this.#text(row) ?? this.#damaged(row);
  }

  #damaged([position, key]: Row): undefined {
    this.#damages.report({ position, stream: streamOf(key), what: 'checksum does not match' });
    return undefined;
  }

  /** The event, or `undefined` when it is not what was written. */
  #event(row: Row): RecordedEvent | undefined {
    const text = this.#text(row);
    if (text === undefined) return undefined;
    const { position, stream, revision, at, type, v, json } = text;
    try {
      return { position, stream, revision, at, type, v, data: JSON.parse(json) as unknown };
    } catch {
      // The sum fits a text that never was JSON: a bug of the writer, named like any damage.
      return undefined;
    }
  }

  #text([position, key, revision, tid, at, sum, json]: Row): EventText | undefined {
    const known = this.#typeOf(tid);
    const stream = streamOf(key);
    if (known === undefined || stream === undefined || typeof json !== 'string') return undefined;
    const { name: type, v } = known;
    const text = { position, stream, revision, at, type, v, json };
    return sum === checksum(text) ? text : undefined;
  }

  #typeOf(tid: number): { name: string; v: number } | undefined {
    const known = this.#types.get(tid);
    if (known !== undefined) return known;
    try {
      const types = this.#allTypes.all() as unknown as { tid: number; name: string; v: number }[];
      for (const { tid: each, name, v } of types) this.#types.set(each, { name, v });
    } catch (cause) {
      if (!isDamage(cause)) throw toTrouble(cause);
    }
    return this.#types.get(tid);
  }

  /** Every event has an entry there too; a walk over all of it, taken only when the log's end is broken. */
  #headOfIndex(): Position {
    const [row] = this.#read(() => [this.#indexedHead.get()]) as unknown as [
      { pos: number | null },
    ];
    return row.pos ?? logStart;
  }

  #lost(stream: StreamName, revision: Revision): Error {
    const what = `revision ${revision} is not where it should be`;
    this.#damages.report({ position: logStart, stream, what });
    return damaged(`${stream}: ${what}`);
  }

  #read(read: () => unknown): Row[] {
    try {
      return read() as Row[];
    } catch (cause) {
      throw toReadTrouble(cause);
    }
  }
}

/** The name behind what `columns` gives of the key; `undefined` when that is neither 16 bytes nor text. */
function streamOf(key: unknown): StreamName | undefined {
  if (typeof key !== 'string') return undefined;
  if (key.startsWith(textMark)) return key.slice(textMark.length);
  return key.length === 32 ? letterStream(key) : undefined;
}

const text = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
