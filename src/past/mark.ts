/**
 * One mark of the agenda's history as bytes. Layout: one line of JSON (`MarkHead`), LF, the columns of a
 * table, and a CRC-32 over all of that. A *whole* mark is the agenda; a *change* has, against the mark
 * before it, the letters that are new or not as they were, and the names of those that are gone.
 */
import { crc32 } from 'node:zlib';
import { agendaFingerprint } from '../../projections/agenda-checkpoint.ts';
import { bytesOf, columnPieces, readColumns } from '../../projections/agenda-columns.ts';
import type { AgendaColumns } from '../../projections/agenda-table.ts';
import { empty, type Agenda } from '../../projections/agenda.ts';
import type { Position } from '../log/ports.ts';
import type { MessageId } from '../mail/envelope.ts';
import type { Instant } from '../platform/clock.ts';

/** Rises when this layout changes; the fold's own number follows it. */
export const markFormat = `waybill past 1, ${agendaFingerprint}`;

/** The last event folded in, to know the log again by; and the latest instant of all events so far. */
export type MarkPlace = {
  readonly position: Position;
  readonly stream: string;
  readonly revision: number;
  readonly at: Instant;
  readonly latest: Instant;
  /** How many events there are up to it. */
  readonly events: number;
};

/** A mark by its position and the CRC-32 of its file. */
export type MarkRef = { readonly position: Position; readonly sum: number };

export type MarkHead = MarkPlace & {
  readonly format: string;
  /** The mark that a change is to be applied to; absent in a whole one. */
  readonly base?: MarkRef;
  readonly letters: number;
  readonly rows: number;
  readonly lanes: readonly string[];
  readonly gone: readonly MessageId[];
  /** All of them, also in a change. */
  readonly owing: readonly MessageId[];
  /** Letters that are set aside, and why; absent: none is. */
  readonly aside?: readonly (readonly [message: MessageId, why: string])[];
};

export type Mark = {
  readonly head: MarkHead;
  readonly columns: AgendaColumns;
  readonly sum: number;
  readonly bytes: number;
};

export type Changes = { readonly base: MarkRef; readonly touched: Iterable<MessageId> };

const sumBytes = 4;

export type EncodedMark = {
  readonly pieces: readonly Uint8Array[];
  readonly sum: number;
  readonly bytes: number;
};

/** The whole agenda, or what has changed of it. Throws `RangeError` for a letter whose name is none of ours. */
export function encodeMark(agenda: Agenda, place: MarkPlace, changes?: Changes): EncodedMark {
  const { rows, owing, aside } = agenda;
  const touched = changes === undefined ? [] : [...changes.touched];
  const there = touched.flatMap((id) => rows.letterNo(id) ?? []);
  const columns = rows.columns(changes === undefined ? undefined : there);
  const head: MarkHead = {
    format: markFormat,
    ...place,
    ...(changes === undefined ? {} : { base: changes.base }),
    letters: columns.counts.length,
    rows: columns.rcpt.length,
    lanes: columns.lanes,
    gone: touched.filter((id) => !rows.has(id)),
    owing: [...owing],
    ...(aside.size === 0 ? {} : { aside: [...aside] }),
  };
  const body = [Buffer.from(`${JSON.stringify(head)}\n`), ...columnPieces(columns)];
  const sum = body.reduce((crc, piece) => crc32(piece, crc), 0);
  const end = Buffer.alloc(sumBytes);
  end.writeUInt32LE(sum);
  const pieces = [...body, end];
  return { pieces, sum, bytes: pieces.reduce((total, { byteLength }) => total + byteLength, 0) };
}

/** `undefined` when the bytes are not exactly a mark of this release. */
export function decodeMark(bytes: Uint8Array): Mark | undefined {
  const buffer = bytesOf(bytes);
  const end = buffer.indexOf(0x0a);
  const sumAt = buffer.byteLength - sumBytes;
  if (end === -1 || end >= sumAt) return undefined;
  const sum = crc32(buffer.subarray(0, sumAt));
  if (sum !== buffer.readUInt32LE(sumAt)) return undefined;
  const told = JSON.parse(buffer.toString('utf8', 0, end)) as MarkHead & { events?: number };
  if (told.format !== markFormat) return undefined;
  // Older marks are of logs whose positions count.
  const head = { ...told, events: told.events ?? told.position };
  const columns = readColumns(buffer.subarray(end + 1, sumAt), head);
  return columns === undefined ? undefined : { head, columns, sum, bytes: buffer.byteLength };
}

/** Brings an agenda from the mark's base to the mark; a whole mark begins an agenda of its own. */
export function applyMark({ head, columns }: Mark, before: Agenda): Agenda {
  const agenda = head.base === undefined ? empty() : before;
  const { rows, owing, aside } = agenda;
  for (const id of head.gone) rows.drop(id);
  if (head.base === undefined) rows.fill(columns);
  else rows.replace(columns);
  owing.clear();
  for (const id of head.owing) owing.add(id);
  aside.clear();
  for (const [id, why] of head.aside ?? []) aside.set(id, why);
  return agenda;
}
