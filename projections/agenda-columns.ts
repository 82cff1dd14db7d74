/** The columns of an agenda's table as bytes, one after the other; numbers are little-endian. */
import type { AgendaColumns } from './agenda-table.ts';

type ColumnName = Exclude<keyof AgendaColumns, 'lanes'>;
type Column = Float64Array | Uint32Array | Uint8Array;

/** How much there is of a table, or of a part of it. */
export type ColumnSizes = {
  readonly letters: number;
  readonly rows: number;
  readonly lanes: readonly string[];
};

/** In this order; how many of each a letter or a row has. */
const layout: readonly {
  readonly name: ColumnName;
  readonly per: 'letters' | 'rows';
  readonly times: number;
  readonly Array: new (length: number) => Column;
}[] = [
  { name: 'ids', per: 'letters', times: 4, Array: Uint32Array },
  { name: 'counts', per: 'letters', times: 1, Array: Uint32Array },
  { name: 'held', per: 'letters', times: 1, Array: Uint8Array },
  { name: 'due', per: 'rows', times: 1, Array: Float64Array },
  { name: 'rcpt', per: 'rows', times: 1, Array: Uint32Array },
  { name: 'lane', per: 'rows', times: 1, Array: Uint32Array },
  { name: 'status', per: 'rows', times: 1, Array: Uint8Array },
  { name: 'tried', per: 'rows', times: 1, Array: Uint8Array },
];

/** Bytes that a letter, and a row, take. */
export const letterBytes = 21;
export const rowBytes = 18;

/** Without a copy. */
export const columnPieces = (columns: AgendaColumns): readonly Buffer[] =>
  layout.map(({ name }) => bytesOf(columns[name]));

/** `undefined` when the bytes are not exactly columns of these sizes. */
export function readColumns(
  from: Buffer,
  { letters, rows, lanes }: ColumnSizes,
): AgendaColumns | undefined {
  // Sizes may come from a file that somebody else wrote: nothing is made that could not be filled.
  if (from.byteLength !== letters * letterBytes + rows * rowBytes) return undefined;
  const columns: { [N in ColumnName]?: Column } = {};
  let at = 0;
  for (const { name, per, times, Array } of layout) {
    // Into memory of its own: the file's columns begin where they may.
    const column = new Array(times * (per === 'letters' ? letters : rows));
    const bytes = bytesOf(column);
    from.copy(bytes, 0, at, at + bytes.byteLength);
    columns[name] = column;
    at += bytes.byteLength;
  }
  const whole = { ...columns, lanes } as AgendaColumns;
  const counted = whole.counts.reduce((sum, count) => sum + count, 0);
  return counted === rows ? whole : undefined;
}

export const bytesOf = (column: Column): Buffer =>
  Buffer.from(column.buffer, column.byteOffset, column.byteLength);
