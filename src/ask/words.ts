/** Answers as lines for a person and as values for JSON. Strangers' text comes out as printable ASCII. */
import { safeLine } from '../mail/sanitize.ts';
import { formatInstant, formatSpan } from '../trace/words.ts';
import type { Answer, Cell, Column } from './ports.ts';

const longestCell = 300;

/** A line as it is, blanks included; what is not printable ASCII is `?`. */
export const harmless = (line: string): string =>
  strange.test(line) ? line.replace(/[^ -~]/gu, '?') : line;

/** Most lines have none, and only that is looked at. */
const strange = /[^ -~]/;

/** Columns aligned under their names, numbers to the right; the last column is never padded. */
export function toLines(answer: Answer): string[] {
  if (answer.kind === 'lines') return answer.lines.map(harmless);
  const { columns, rows, notes = [] } = answer;
  const cells = rows.map((row) => columns.map((column, index) => formatCell(row[index], column)));
  const names = columns.map(({ name }) => harmless(name));
  const widths = names.map((name, index) =>
    cells.reduce((widest, row) => Math.max(widest, row[index]!.length), name.length),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, index) => padded(cell, index))
      .join('  ')
      .trimEnd();
  const padded = (cell: string, index: number) => {
    if (isNumeric(columns[index]!)) return cell.padStart(widths[index]!);
    return index === columns.length - 1 ? cell : cell.padEnd(widths[index]!);
  };
  return [line(names), ...cells.map(line), ...notes.map(harmless)];
}

const isNumeric = ({ format = 'text' }: Column): boolean =>
  format !== 'text' && format !== 'instant';

/** Tens of thousands of digits are no help; no thousands are marked, so that awk(1) can add up. */
export function formatCell(cell: Cell, { format = 'text' }: Column): string {
  if (cell === undefined) return '-';
  if (typeof cell === 'string') return safeLine(cell, longestCell);
  switch (format) {
    case 'seconds':
      return cell.toFixed(2);
    case 'percent':
      return cell.toFixed(1);
    case 'instant':
      return formatInstant(cell);
    case 'span':
      return formatSpan(cell);
    case 'count':
    case 'bytes':
    case 'text':
      return Number.isInteger(cell) ? String(cell) : String(Number(cell.toPrecision(6)));
  }
}

/** A table's rows by column names, or the lines; instants as ISO 8601. */
export function toValues(answer: Answer): readonly unknown[] {
  if (answer.kind === 'lines') return answer.lines.map((line) => ({ line }));
  const { columns, rows } = answer;
  return rows.map((row) =>
    Object.fromEntries(columns.map((column, index) => [column.name, valueOf(row[index], column)])),
  );
}

function valueOf(cell: Cell, { format }: Column): Cell | null {
  if (cell === undefined) return null;
  return format === 'instant' && typeof cell === 'number' ? formatInstant(cell, 'ms') : cell;
}
