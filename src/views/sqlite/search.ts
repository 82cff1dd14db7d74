/**
 * Letters from the view database that answer a question, the youngest first. The index, or a list of those
 * that wait, proposes; every proposal is looked at again, exactly as a walk through the log would.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { Position } from '../../log/ports.ts';
import type { MessageId } from '../../mail/envelope.ts';
import { matches, mayMatch, type Found, type Question } from '../../trace/search.ts';
import { facts, type ViewLetter } from '../letter.ts';
import { replyPieces, trigramsOf, type ReplyPieces } from '../reply-pieces.ts';
import { entriesPerLetter, queryOf } from '../terms.ts';
import { toFound } from '../to-found.ts';
import { conditionsOf } from './conditions.ts';
import { lastPosition, letterOfEntry, placeOf } from './entries.ts';
import { LetterRows, type Said } from './rows.ts';

/** A letter that answers the question, and its place in time. */
export type Placed = { readonly found: Found; readonly pos: Position };

/** So many letters that wait are gone through rather than the index. */
const fewWaiting = 2_000;
/** So many replies, or shapes of replies, that a text occurs in are worth a list. */
const manyHits = 20_000;
const manyShapes = 800;

const minuteMs = 60_000;

type Entry = { readonly entry: bigint; readonly pos: bigint };

export class ViewSearch {
  readonly #db: DatabaseSync;
  readonly #rows: LetterRows;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#rows = new LetterRows(db);
  }

  /** Letters before that position that match, lazily. Within one transaction, which the caller holds. */
  *find(question: Question, before: Position): Generator<Placed> {
    for (const pos of this.#proposals(question, before)) {
      const letter = this.#rows.byPos(pos);
      const found = letter && this.#found(letter, question);
      if (found !== undefined) yield { found, pos };
    }
  }

  /** The letter as an answer; `undefined` when it is none. */
  #found(letter: ViewLetter, question: Question): Found | undefined {
    const bare = toFound(letter, [], question);
    if (!mayMatch(bare, question)) return undefined;
    // What was said matters to some questions only, but an answer shows the last word.
    const { host: _host, reply: _reply, ...rest } = question;
    if (!matches(bare, rest)) return undefined;
    const said = this.saidOf(letter);
    const found = toFound(letter, said, question);
    return matches(found, question) ? found : undefined;
  }

  saidOf({ pos, recipients }: ViewLetter): readonly Said[] {
    return this.#rows.said(pos, 0, recipients.length);
  }

  byId(id: MessageId): ViewLetter | undefined {
    return this.#rows.byId(id);
  }

  #proposals(question: Question, before: Position): Iterable<Position> {
    const [from, to] = this.#bounds(question, before);
    if (from > to) return [];
    const { status, reply, id } = question;
    if (id !== undefined && /^[0-9a-f-]+$/i.test(id)) {
      const begun = this.#beginningWith(id, from, to);
      if (begun.length > 0 && id.length >= shortestUnique) return begun;
    }
    const open = status === 'waiting' || status === 'held' ? status : undefined;
    if (open !== undefined && this.#isFew(open)) return this.#open(open, from, to);
    const pieces = reply === undefined ? undefined : replyPieces(reply);
    if (pieces?.isIndexed === true) {
      const shapes = this.#shapesWith(pieces);
      const others = this.#saidWith(pieces, from, to);
      if (shapes !== undefined && others !== undefined) {
        const query = shapes.length === 0 ? undefined : queryOf(question, shapes);
        return merged(query === undefined ? [] : this.#marked(query, from, to), others);
      }
    }
    const query = queryOf(question);
    if (query !== undefined) return this.#marked(query, from, to);
    return open === undefined ? this.#walk(question, from, to) : this.#open(open, from, to);
  }

  /** First and last position that can match. A clock that was set back makes the span longer, never too short. */
  #bounds({ since, until }: Question, before: Position): [Position, Position] {
    let from: Position = 1;
    let to = Math.min(before, lastPosition) - 1;
    if (since !== undefined) {
      const sql = 'SELECT min(first) AS pos FROM minute WHERE minute >= ? AND first > 0';
      from = this.#position(sql, Math.floor(since / minuteMs)) ?? to + 1;
    }
    if (until !== undefined) {
      const sql = 'SELECT max(last) AS pos FROM minute WHERE minute <= ?';
      to = Math.min(to, this.#position(sql, Math.floor(until / minuteMs)) ?? 0);
    }
    return [from, to];
  }

  #position(sql: string, minute: number): Position | undefined {
    const row = this.#prepare(sql).get(minute) as { pos: Position | null } | undefined;
    return row?.pos ?? undefined;
  }

  #beginningWith(part: string, from: Position, to: Position): Position[] {
    const [low, high] = idRange(part);
    const sql =
      'SELECT pos FROM letter INDEXED BY letter_id WHERE id BETWEEN ? AND ? AND pos BETWEEN ? AND ? ORDER BY pos DESC LIMIT 10000';
    return positionsOf(this.#prepare(sql).iterate(low, high, from, to));
  }

  /** Ids, the youngest first. */
  lettersWith(part: string, limit: number): Uint8Array[] {
    const [low, high] = idRange(part);
    const sql = 'SELECT id FROM letter WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT ?';
    const rows = this.#prepare(sql).all(low, high, limit) as unknown as { id: Uint8Array }[];
    return rows.map(({ id }) => id);
  }

  #isFew(status: 'waiting' | 'held'): boolean {
    const sql = `SELECT count(*) AS count FROM (SELECT 1 FROM letter WHERE facts & ${facts[status]} <> 0 LIMIT ?)`;
    return (this.#prepare(sql).get(fewWaiting) as { count: number }).count < fewWaiting;
  }

  #open(status: 'waiting' | 'held', from: Position, to: Position): Iterable<Position> {
    return this.#paged(
      `SELECT pos FROM letter INDEXED BY letter_${status} WHERE facts & ${facts[status]} <> 0
       AND pos BETWEEN ? AND ? ORDER BY pos DESC LIMIT ?`,
      from,
      to,
    );
  }

  /** Through all letters; SQLite leaves out what it can tell apart by itself. */
  #walk(question: Question, from: Position, to: Position): Iterable<Position> {
    const { conditions, values } = conditionsOf(question);
    const where = ['pos BETWEEN ? AND ?', ...conditions].join(' AND ');
    const sql = `SELECT pos FROM letter WHERE ${where} ORDER BY pos DESC LIMIT ?`;
    return this.#paged(sql, from, to, values);
  }

  /** Page by page: a statement that is left half read would hold its place. */
  *#paged(
    sql: string,
    from: Position,
    to: Position,
    values: readonly SQLInputValue[] = [],
  ): Generator<Position> {
    let size = 100;
    for (let last = to; last >= from;) {
      const page = positionsOf(this.#prepare(sql).iterate(from, last, ...values, size));
      yield* page;
      if (page.length < size) return;
      last = page.at(-1)! - 1;
      size = Math.min(2_000, size * 2);
    }
  }

  *#marked(query: string, from: Position, to: Position): Generator<Position> {
    const sql = `SELECT rowid AS entry, ${letterOfEntry} AS pos FROM mark
      WHERE mark MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid DESC LIMIT ?`;
    const statement = this.#prepare(sql);
    statement.setReadBigInts(true);
    let size = 100;
    let before: Position | undefined;
    let last = placeOf(to, entriesPerLetter - 1);
    for (;;) {
      const page = statement.all(query, placeOf(from, 0), last, size) as unknown as Entry[];
      for (const entry of page) {
        const pos = Number(entry.pos);
        // A letter to many has several entries, next to each other.
        if (pos !== before) yield pos;
        before = pos;
      }
      if (page.length < size) return;
      last = page.at(-1)!.entry - 1n;
      size = Math.min(2_000, size * 2);
    }
  }

  /** Shapes in which the text may stand; `undefined`: too many to list. */
  #shapesWith({ core }: ReplyPieces): readonly number[] | undefined {
    const rows = this.#prepare('SELECT id, text FROM shape').iterate() as Iterable<{
      id: number;
      text: string;
    }>;
    const shapes: number[] = [];
    for (const { id, text } of rows) {
      if (!text.toLowerCase().includes(core)) continue;
      shapes.push(id);
      if (shapes.length > manyShapes) return undefined;
    }
    return shapes;
  }

  /** Letters in whose replies a word holds a piece of the text, the youngest first; `undefined`: too many to list. */
  #saidWith({ pieces }: ReplyPieces, from: Position, to: Position): Position[] | undefined {
    const letters = new Set<Position>();
    for (const piece of pieces) {
      const query = trigramsOf(piece).join(' AND ');
      const sql = `SELECT letter AS pos FROM attempt WHERE pos IN
        (SELECT rowid FROM word WHERE word MATCH ? ORDER BY rowid DESC LIMIT ?)`;
      const hits = positionsOf(this.#prepare(sql).iterate(query, manyHits));
      if (hits.length >= manyHits) return undefined;
      for (const pos of hits) if (pos >= from && pos <= to) letters.add(pos);
    }
    return [...letters].sort((a, b) => b - a);
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/** Hex digits and dashes of the time in an id: shorter beginnings fit too much to be listed. */
const shortestUnique = 6;

function idRange(part: string): [Uint8Array, Uint8Array] {
  const digits = part.replaceAll('-', '').toLowerCase().slice(0, 32);
  return [Buffer.from(digits.padEnd(32, '0'), 'hex'), Buffer.from(digits.padEnd(32, 'f'), 'hex')];
}

const positionsOf = (rows: Iterable<unknown>): Position[] =>
  Array.from(rows as Iterable<{ pos: Position }>, ({ pos }) => pos);

/** Two descending lists as one, each position once. */
export function* merged(one: Iterable<Position>, two: Iterable<Position>): Generator<Position> {
  const [a, b] = [one[Symbol.iterator](), two[Symbol.iterator]()];
  let [left, right] = [a.next(), b.next()];
  while (left.done !== true || right.done !== true) {
    const [l, r] = [left.done === true ? -1 : left.value, right.done === true ? -1 : right.value];
    yield Math.max(l, r);
    if (l >= r) left = a.next();
    if (r >= l) right = b.next();
  }
}
