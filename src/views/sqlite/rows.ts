/** Letters from rows, and their attempts; the same for whoever writes them and whoever asks. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Position } from '../../log/ports.ts';
import type { MessageId, RecipientNo } from '../../mail/envelope.ts';
import {
  recipientStates,
  type RecipientState,
  type ViewLetter,
  type ViewRecipient,
} from '../letter.ts';

/** What was said in one attempt, as searches need it. */
export type Said = {
  readonly rcpt: RecipientNo;
  readonly host: string;
  readonly relay: string | undefined;
  readonly answeredBy: string | undefined;
  readonly address: string | undefined;
  readonly shape: number;
  readonly reply: string;
};

export const toIdBytes = (id: MessageId): Uint8Array => Buffer.from(id.replaceAll('-', ''), 'hex');

export function toId(bytes: Uint8Array): MessageId {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

type Row = { readonly [column: string]: unknown };

const stateNames = Object.keys(recipientStates) as readonly RecipientState[];

const letterColumns = `SELECT pos, id, at, sender, bytes, protocol, peer, helo, auth, message_id, parent, parent_why,
  child, held, done_at FROM letter`;

export class LetterRows {
  readonly #byId: StatementSync;
  readonly #byPos: StatementSync;
  readonly #recipients: StatementSync;
  readonly #said: StatementSync;

  constructor(db: DatabaseSync) {
    this.#byId = db.prepare(`${letterColumns} WHERE id = ?`);
    this.#byPos = db.prepare(`${letterColumns} WHERE pos = ?`);
    this.#recipients =
      db.prepare(`SELECT address, formerly, channel, host, relay, rule, state, attempts,
      due_at, last, doubt FROM recipient WHERE letter = ? ORDER BY rcpt`);
    this.#said =
      db.prepare(`SELECT rcpt, host, relay, answered_by, address, shape, coalesce(reply, text) AS reply
      FROM attempt JOIN shape ON shape.id = attempt.shape
      WHERE letter = ? AND rcpt BETWEEN ? AND ? ORDER BY pos`);
  }

  byId(id: MessageId): ViewLetter | undefined {
    return this.#letter(this.#byId.get(toIdBytes(id)));
  }

  byPos(pos: Position): ViewLetter | undefined {
    return this.#letter(this.#byPos.get(pos));
  }

  /** All that was said of these recipients of a letter, in order. */
  said(letter: Position, from: RecipientNo, to: RecipientNo): readonly Said[] {
    const rows = this.#said.all(letter, from, to) as unknown as readonly Row[];
    return rows.map((row) => ({
      rcpt: row['rcpt'] as number,
      host: row['host'] as string,
      relay: text(row['relay']),
      answeredBy: text(row['answered_by']),
      address: text(row['address']),
      shape: row['shape'] as number,
      reply: row['reply'] as string,
    }));
  }

  #letter(row: Row | undefined): ViewLetter | undefined {
    if (row === undefined) return undefined;
    const pos = row['pos'] as number;
    const recipients = this.#recipients.all(pos) as unknown as readonly Row[];
    return {
      pos,
      id: toId(row['id'] as Uint8Array),
      at: row['at'] as number,
      returnPath: row['sender'] as string,
      bytes: row['bytes'] as number,
      protocol: row['protocol'] as string,
      peer: text(row['peer']),
      helo: text(row['helo']),
      auth: text(row['auth']),
      messageId: text(row['message_id']),
      parent: toParent(row),
      child: row['child'] === null ? undefined : toId(row['child'] as Uint8Array),
      held: row['held'] === 1,
      doneAt: number(row['done_at']),
      recipients: recipients.map(toRecipient),
    };
  }
}

function toParent({ parent, parent_why: why }: Row): ViewLetter['parent'] {
  if (parent === null) return undefined;
  return {
    message: toId(parent as Uint8Array),
    why: why as NonNullable<ViewLetter['parent']>['why'],
  };
}

const toRecipient = (row: Row): ViewRecipient => ({
  address: row['address'] as string,
  formerly: row['formerly'] === null ? [] : (JSON.parse(row['formerly'] as string) as string[]),
  channel: row['channel'] as string,
  host: row['host'] as string,
  relay: text(row['relay']),
  rule: row['rule'] as string,
  state: stateNames[row['state'] as number]!,
  attempts: row['attempts'] as number,
  dueAt: number(row['due_at']),
  last: number(row['last']),
  doubt: row['doubt'] === 1,
});

const text = (value: unknown): string | undefined =>
  value === null ? undefined : (value as string);
const number = (value: unknown): number | undefined =>
  value === null ? undefined : (value as number);
