/** A stranger to the compiler wrote the question: what it gives is looked at once, before it leaves the cage. */
import type { Answer, Cell, Column } from './ports.ts';

const formats: readonly unknown[] = [
  ...['text', 'count', 'bytes', 'seconds', 'percent', 'instant', 'span', undefined],
];

/** Throws an Error that names what is wrong. */
export function checkedAnswer(answer: Answer): Answer {
  // A promise, a text or nothing at all has no kind, either.
  const { kind, lines, columns, rows, notes } = Object(answer) as {
    readonly [key: string]: unknown;
  };
  if (kind === 'lines' && areTexts(lines)) return answer;
  if (kind !== 'table' || !Array.isArray(columns) || !Array.isArray(rows)) {
    throw new Error(
      "answer() must give { kind: 'table', columns, rows } or { kind: 'lines', lines } with lines of text",
    );
  }
  for (const { name, format } of columns as Column[]) {
    if (typeof name === 'string' && formats.includes(format)) continue;
    throw new Error(
      `answer() gave a column that has no name, or an unknown format: ${String(name)}`,
    );
  }
  for (const row of rows) checkRow(row);
  if (notes === undefined || areTexts(notes)) return answer;
  throw new Error('answer() must give notes as a list of texts');
}

function checkRow(row: unknown): void {
  if (!Array.isArray(row)) throw new Error('answer() must give each row as a list of cells');
  for (const cell of row as unknown[]) {
    if (isCell(cell)) continue;
    throw new Error(`answer() gave a cell that is neither a text nor a number: ${typeof cell}`);
  }
}

const isCell = (cell: unknown): cell is Cell | null =>
  typeof cell === 'string' || typeof cell === 'number' || cell === undefined || cell === null;

const areTexts = (texts: unknown): boolean =>
  Array.isArray(texts) && texts.every((each) => typeof each === 'string');
