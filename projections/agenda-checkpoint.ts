/**
 * The agenda as bytes, so that a restart replays the tail of the log and not its history.
 * Layout: one line of JSON (`CheckpointHead`), LF, fixed-width columns, and a CRC-32 over all of that.
 * Whatever does not fit exactly is no checkpoint: folding from the first event gives the same.
 */
import { crc32 } from 'node:zlib';
import type { Position } from '../src/log/ports.ts';
import { rowStatus, type AgendaTable } from './agenda-table.ts';
import type { Agenda } from './agenda.ts';

/** Rises when the fold or the layout changes: older checkpoints are then thrown away, loudly. */
export const agendaFingerprint = 'agenda 1';

export type CheckpointHead = {
  readonly fingerprint: string;
  /** The last event folded in: where it stands and when it was, to know the log again by. */
  readonly position: Position;
  readonly stream: string;
  readonly revision: number;
  readonly at: number;
  readonly letters: number;
  readonly rows: number;
  readonly lanes: readonly string[];
  readonly owing: readonly string[];
};

export type LastFolded = Pick<CheckpointHead, 'position' | 'stream' | 'revision' | 'at'>;

/** id, held, number of rows */
const letterBytes = 16 + 1 + 4;
/** rcpt, lane, due, status, tried */
const rowBytes = 4 + 4 + 8 + 1 + 1;
/** CRC-32 over everything before it. */
const sumBytes = 4;

export function encodeAgenda({ rows, owing }: Agenda, last: LastFolded): Uint8Array {
  const columns = Buffer.allocUnsafe(rows.letters * letterBytes + rows.recipients * rowBytes);
  const lanes = new Map<string, number>();
  let at = 0;
  for (const letter of rows.openLetters()) {
    at = writeLetter(columns, at, rows, letter, lanes);
  }
  const head: CheckpointHead = {
    fingerprint: agendaFingerprint,
    ...last,
    letters: rows.letters,
    rows: rows.recipients,
    lanes: [...lanes.keys()],
    owing: [...owing],
  };
  const line = Buffer.from(`${JSON.stringify(head)}\n`);
  const sum = Buffer.alloc(sumBytes);
  sum.writeUInt32LE(crc32(columns, crc32(line)));
  return Buffer.concat([line, columns, sum]);
}

function writeLetter(
  to: Buffer,
  start: number,
  rows: AgendaTable,
  letter: number,
  lanes: Map<string, number>,
): number {
  let at = start + to.write(rows.idOf(letter).replaceAll('-', ''), start, 'hex');
  at = to.writeUInt8(rows.isHeld(letter) ? 1 : 0, at);
  const countAt = at;
  at += 4;
  let count = 0;
  for (const row of rows.rowsOf(letter)) {
    const name = rows.laneName(rows.lane[row]!);
    if (!lanes.has(name)) lanes.set(name, lanes.size);
    at = to.writeUInt32LE(rows.rcpt[row]!, at);
    at = to.writeUInt32LE(lanes.get(name)!, at);
    at = to.writeDoubleLE(rows.due[row]!, at);
    at = to.writeUInt8(rows.status[row]!, at);
    at = to.writeUInt8(rows.tried[row]!, at);
    count += 1;
  }
  to.writeUInt32LE(count, countAt);
  return at;
}

/**
 * Fills an empty agenda; returns the head, or `undefined` (the agenda untouched) when the bytes are not
 * exactly a checkpoint of this release.
 */
export function decodeAgenda(bytes: Uint8Array, agenda: Agenda): CheckpointHead | undefined {
  const head = readCheckpointHead(bytes);
  if (head === undefined) return undefined;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const columns = buffer.subarray(buffer.indexOf(0x0a) + 1, -sumBytes);
  if (columns.byteLength !== head.letters * letterBytes + head.rows * rowBytes) return undefined;
  for (const message of head.owing) agenda.owing.add(message);
  for (let at = 0; at < columns.byteLength;) at = readLetter(columns, at, agenda.rows, head.lanes);
  return head;
}

/** What the checkpoint says of itself, if it is whole and this release understands it. */
export function readCheckpointHead(bytes: Uint8Array): CheckpointHead | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = buffer.indexOf(0x0a);
  const sumAt = buffer.byteLength - sumBytes;
  if (end === -1 || end >= sumAt) return undefined;
  if (crc32(buffer.subarray(0, sumAt)) !== buffer.readUInt32LE(sumAt)) return undefined;
  const head = JSON.parse(buffer.toString('utf8', 0, end)) as CheckpointHead;
  return head.fingerprint === agendaFingerprint ? head : undefined;
}

function readLetter(
  from: Buffer,
  start: number,
  rows: AgendaTable,
  lanes: readonly string[],
): number {
  const hex = from.toString('hex', start, start + 16);
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  const letter = rows.addLetter(id, from.readUInt8(start + 16) === 1);
  const count = from.readUInt32LE(start + 17);
  const first = start + letterBytes;
  // Chained from the last to the first, so that the chain runs as it did.
  for (let index = count - 1; index >= 0; index -= 1) {
    const at = first + index * rowBytes;
    const lane = lanes[from.readUInt32LE(at + 4)]!;
    const status =
      from.readUInt8(at + 16) === rowStatus.attempting ? rowStatus.attempting : rowStatus.waiting;
    rows.restore(
      letter,
      from.readUInt32LE(at),
      lane,
      from.readDoubleLE(at + 8),
      status,
      from.readUInt8(at + 17),
    );
  }
  return first + count * rowBytes;
}
