/**
 * Writes what a batch of events changed, in one transaction with the position reached: a stop leaves the
 * batch before. Knows the letters that may change soon; the others are read back when their turn comes.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { Position } from '../../log/ports.ts';
import type { MessageId } from '../../mail/envelope.ts';
import type { Changed, Changes } from '../fold.ts';
import {
  factsOf,
  factsOfRecipient,
  recipientStates,
  verdictKinds,
  facts,
  type ViewAttempt,
  type ViewLetter,
} from '../letter.ts';
import { shapeOf } from '../shape.ts';
import { recipientsPerEntry, termsOf } from '../terms.ts';
import { placeOf } from './entries.ts';
import type { ViewsMeta } from './files.ts';
import { LetterRows, toIdBytes } from './rows.ts';

/** The last event folded in: where it stands and when it was, to know the log again by. */
export type LastEvent = {
  readonly position: Position;
  readonly stream: string;
  readonly revision: number;
  readonly at: number;
};

/** Recipients of the letters that are kept in memory. */
const keptRecipients = 20_000;
/** Shapes whose numbers are kept in memory. */
const keptShapes = 50_000;

const hourMs = 3_600_000;

export class ViewWriter {
  readonly #db: DatabaseSync;
  readonly #rows: LetterRows;
  readonly #kept = new Map<MessageId, ViewLetter>();
  #keptCount = 0;
  readonly #shapes = new Map<string, number>();
  readonly #sql: { readonly [N in keyof typeof statements]: StatementSync };

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#rows = new LetterRows(db);
    this.#sql = Object.fromEntries(
      Object.entries(statements).map(([name, sql]) => [name, db.prepare(sql)]),
    ) as { [N in keyof typeof statements]: StatementSync };
  }

  readonly find = (message: MessageId): ViewLetter | undefined =>
    this.#kept.get(message) ?? this.#rows.byId(message);

  /** All or nothing; after an error the writer must not be used again. */
  write(
    changes: Changes,
    last: LastEvent,
    { letters, upTo }: Pick<ViewsMeta, 'letters' | 'upTo'>,
  ): void {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const said = this.#writeAttempts(changes.attempts);
      for (const changed of changes.letters.values()) this.#writeLetter(changed, said);
      this.#writeSums(changes);
      this.#sql.meta.run('last', JSON.stringify({ ...last, letters, upTo }));
      this.#db.exec('COMMIT');
    } catch (cause) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw cause;
    }
    for (const { letter } of changes.letters.values()) this.#keep(letter);
  }

  #writeAttempts(attempts: readonly ViewAttempt[]): ReadonlyMap<Position, NewlySaid[]> {
    const said = new Map<Position, NewlySaid[]>();
    const counts = new Map<string, [hour: number, kind: number, shape: number, count: number]>();
    for (const attempt of attempts) {
      const { pos, letter, rcpt, kind, reply, dueAt, doubt, endedAt } = attempt;
      const { shape: text, words: left } = shapeOf(reply);
      const shape = this.#shapeNo(text);
      const kindNo = verdictKinds[kind];
      this.#sql.attempt.run(
        ...[pos, letter, rcpt, attempt.attempt, attempt.startedAt, endedAt, kindNo],
        ...[attempt.host, orNull(attempt.relay), orNull(attempt.code), orNull(attempt.status)],
        ...[orNull(attempt.answeredBy), orNull(attempt.address), shape],
        ...[left.length === 0 ? null : reply, orNull(dueAt), doubt ? 1 : 0],
      );
      // The host's address is indexed as such.
      const words = left.filter((word) => word !== attempt.address);
      if (words.length > 0) this.#sql.word.run(pos, words.join(' '));
      const known = said.get(letter);
      if (known === undefined) said.set(letter, [{ attempt, shape }]);
      else known.push({ attempt, shape });
      if (kind === 'delivered') continue;
      const hour = Math.floor(endedAt / hourMs);
      const key = `${hour} ${kindNo} ${shape}`;
      const count = counts.get(key);
      if (count === undefined) counts.set(key, [hour, kindNo, shape, 1]);
      else count[3] += 1;
    }
    for (const count of counts.values()) this.#sql.said.run(...count);
    return said;
  }

  #shapeNo(text: string): number {
    const known = this.#shapes.get(text);
    if (known !== undefined) return known;
    const found = this.#sql.findShape.get(text) as { id: number } | undefined;
    const id = found?.id ?? Number(this.#sql.shape.run(text).lastInsertRowid);
    if (this.#shapes.size >= keptShapes) this.#shapes.clear();
    this.#shapes.set(text, id);
    return id;
  }

  #writeLetter(
    { letter, isNew, rcpts }: Changed,
    said: ReadonlyMap<Position, readonly NewlySaid[]>,
  ): void {
    const { pos, child, held, doneAt, recipients } = letter;
    const now = [child === undefined ? null : toIdBytes(child), held ? 1 : 0, factsOf(letter)];
    if (isNew) this.#sql.letter.run(...letterValues(letter), ...now, orNull(doneAt));
    else this.#sql.changeLetter.run(...now, orNull(doneAt), pos);
    const changed = isNew ? recipients.keys() : rcpts;
    const entries = new Set<number>(isNew ? [0] : []);
    for (const rcpt of changed) {
      const recipient = recipients[rcpt]!;
      const { address, formerly, channel, host, relay, rule, state, attempts } = recipient;
      const write = isNew ? this.#sql.recipient : this.#sql.changeRecipient;
      write.run(
        ...[pos, rcpt, address, formerly.length === 0 ? null : JSON.stringify(formerly), channel],
        ...[host, orNull(relay), rule, recipientStates[state], attempts],
        ...[orNull(recipient.dueAt), orNull(recipient.last), recipient.doubt ? 1 : 0],
      );
      entries.add(Math.floor(rcpt / recipientsPerEntry));
    }
    const fresh = said.get(pos) ?? [];
    for (const entry of entries) {
      this.#sql.mark.run(placeOf(pos, entry), this.#terms(letter, entry, isNew, fresh));
    }
  }

  /** What leads to this part of a letter. What was said of an old letter is read back. */
  #terms(letter: ViewLetter, entry: number, isNew: boolean, fresh: readonly NewlySaid[]): string {
    const from = entry * recipientsPerEntry;
    const to = from + recipientsPerEntry - 1;
    const part = letter.recipients.slice(from, to + 1);
    const hosts = new Set<string>();
    const shapes = new Set<number>();
    const hear = (...names: readonly (string | undefined)[]) => {
      for (const name of names) if (name !== undefined && name !== '') hosts.add(name);
    };
    for (const { host, relay } of part) hear(host, relay);
    if (isNew) {
      for (const { attempt, shape } of fresh) {
        if (attempt.rcpt < from || attempt.rcpt > to) continue;
        hear(attempt.answeredBy, attempt.address, attempt.host, attempt.relay);
        shapes.add(shape);
      }
    } else {
      for (const each of this.#rows.said(letter.pos, from, to)) {
        hear(each.answeredBy, each.address, each.host, each.relay);
        shapes.add(each.shape);
      }
    }
    return termsOf({
      ...{ returnPath: letter.returnPath, bytes: letter.bytes, messageId: letter.messageId },
      ...{ parent: letter.parent?.message, hosts, shapes },
      addresses: part.flatMap(({ address, formerly }) => [address, ...formerly]),
      facts: part.reduce(
        (all, each) => all | factsOfRecipient(letter, each),
        letter.child === undefined ? 0 : facts.bounced,
      ),
    });
  }

  #writeSums({ minutes, hosts }: Changes): void {
    for (const [minute, sums] of minutes) {
      const { first, last, accepted, bytes, delivered, deferred, failed } = sums;
      this.#sql.minute.run(minute, first, last, accepted, bytes, delivered, deferred, failed);
    }
    for (const [hour, byName] of hosts) {
      for (const [name, { delivered, deferred, failed, ms, lastAt, trouble }] of byName) {
        this.#sql.host.run(hour, name, delivered, deferred, failed, ms, lastAt, orNull(trouble));
      }
    }
  }

  #keep(letter: ViewLetter): void {
    const { id, recipients, doneAt } = letter;
    // Those that changed last are kept longest.
    if (this.#kept.delete(id)) this.#keptCount -= recipients.length;
    if (doneAt !== undefined) return;
    this.#kept.set(id, letter);
    this.#keptCount += recipients.length;
    for (const [oldest, { recipients: theirs }] of this.#kept) {
      if (this.#keptCount <= keptRecipients) break;
      this.#kept.delete(oldest);
      this.#keptCount -= theirs.length;
    }
  }
}

type NewlySaid = { readonly attempt: ViewAttempt; readonly shape: number };

const orNull = <T>(value: T | undefined): T | null => value ?? null;

const letterValues = (letter: ViewLetter): SQLInputValue[] => [
  ...[letter.pos, toIdBytes(letter.id), letter.at, letter.returnPath, letter.bytes],
  ...[letter.protocol, orNull(letter.peer), orNull(letter.helo), orNull(letter.auth)],
  orNull(letter.messageId),
  letter.parent === undefined ? null : toIdBytes(letter.parent.message),
  orNull(letter.parent?.why),
];

const marks = (count: number): string => Array(count).fill('?').join(', ');

const statements = {
  letter: `INSERT INTO letter (pos, id, at, sender, bytes, protocol, peer, helo, auth, message_id, parent,
    parent_why, child, held, facts, done_at) VALUES (${marks(16)})`,
  changeLetter: 'UPDATE letter SET child = ?, held = ?, facts = ?, done_at = ? WHERE pos = ?',
  recipient: `INSERT INTO recipient VALUES (${marks(13)})`,
  changeRecipient: `INSERT INTO recipient VALUES (${marks(13)}) ON CONFLICT (letter, rcpt) DO UPDATE SET
    address = excluded.address, formerly = excluded.formerly, channel = excluded.channel, host = excluded.host,
    relay = excluded.relay, rule = excluded.rule, state = excluded.state, attempts = excluded.attempts,
    due_at = excluded.due_at, last = excluded.last, doubt = excluded.doubt`,
  attempt: `INSERT INTO attempt VALUES (${marks(17)})`,
  mark: 'INSERT OR REPLACE INTO mark (rowid, terms) VALUES (?, ?)',
  word: 'INSERT INTO word (rowid, words) VALUES (?, ?)',
  findShape: 'SELECT id FROM shape WHERE text = ?',
  shape: 'INSERT INTO shape (text) VALUES (?)',
  said: `INSERT INTO said VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count`,
  minute: `INSERT INTO minute VALUES (${marks(8)}) ON CONFLICT DO UPDATE SET
    first = CASE WHEN first = 0 THEN excluded.first ELSE first END, last = max(last, excluded.last),
    accepted = accepted + excluded.accepted, bytes = bytes + excluded.bytes,
    delivered = delivered + excluded.delivered, deferred = deferred + excluded.deferred,
    failed = failed + excluded.failed`,
  host: `INSERT INTO host VALUES (${marks(8)}) ON CONFLICT DO UPDATE SET
    delivered = delivered + excluded.delivered, deferred = deferred + excluded.deferred,
    failed = failed + excluded.failed, ms = ms + excluded.ms, last_at = max(last_at, excluded.last_at),
    trouble = coalesce(excluded.trouble, trouble)`,
  meta: 'INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
} as const;
