/**
 * The agenda as bytes, so that a restart replays the tail of the log and not its history.
 * Layout: one line of JSON (`CheckpointHead`), LF, one column after the other, and a CRC-32 over all of that.
 * Whatever does not fit exactly is no checkpoint: folding from the first event gives the same.
 */
import { crc32 } from 'node:zlib';
import type { Position } from '../src/log/ports.ts';
import { bytesOf, columnPieces, readColumns } from './agenda-columns.ts';
import type { Agenda } from './agenda.ts';

/** Rises when the fold or the layout changes: older checkpoints are then thrown away, loudly. */
export const agendaFingerprint = 'agenda 2';

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
  /** Letters that are set aside, and why; absent: none is. */
  readonly aside?: readonly (readonly [message: string, why: string])[];
};

export type LastFolded = Pick<CheckpointHead, 'position' | 'stream' | 'revision' | 'at'>;

/** CRC-32 over everything before it. */
const sumBytes = 4;

/** In pieces, to be written one after the other: a long queue is not copied once more. */
export function encodeAgenda(
  { rows, owing, aside }: Agenda,
  last: LastFolded,
): readonly Uint8Array[] {
  const columns = rows.columns();
  const head: CheckpointHead = {
    fingerprint: agendaFingerprint,
    ...last,
    letters: rows.letters,
    rows: rows.recipients,
    lanes: columns.lanes,
    owing: [...owing],
    ...(aside.size === 0 ? {} : { aside: [...aside] }),
  };
  const line = Buffer.from(`${JSON.stringify(head)}\n`);
  const pieces = [line, ...columnPieces(columns)];
  const sum = Buffer.alloc(sumBytes);
  sum.writeUInt32LE(pieces.reduce((crc, piece) => crc32(piece, crc), 0));
  return [...pieces, sum];
}

/**
 * Fills an empty agenda; returns the head, or `undefined` (the agenda untouched) when the bytes are not
 * exactly a checkpoint of this release.
 */
export function decodeAgenda(bytes: Uint8Array, agenda: Agenda): CheckpointHead | undefined {
  const head = readCheckpointHead(bytes);
  if (head === undefined) return undefined;
  const buffer = bytesOf(bytes);
  const columns = readColumns(buffer.subarray(buffer.indexOf(0x0a) + 1, -sumBytes), head);
  if (columns === undefined) return undefined;
  for (const message of head.owing) agenda.owing.add(message);
  for (const [message, why] of head.aside ?? []) agenda.aside.set(message, why);
  agenda.rows.fill(columns);
  return head;
}

/** What the checkpoint says of itself, if it is whole and this release understands it. */
export function readCheckpointHead(bytes: Uint8Array): CheckpointHead | undefined {
  const buffer = bytesOf(bytes);
  const end = buffer.indexOf(0x0a);
  const sumAt = buffer.byteLength - sumBytes;
  if (end === -1 || end >= sumAt) return undefined;
  if (crc32(buffer.subarray(0, sumAt)) !== buffer.readUInt32LE(sumAt)) return undefined;
  const head = JSON.parse(buffer.toString('utf8', 0, end)) as CheckpointHead;
  return head.fingerprint === agendaFingerprint ? head : undefined;
}
