/** Figures to text: columns, medians, ratios. */

/** A line of cells; a number of undefined width is printed as it is. */
export type Row = readonly string[];

/** Left: the first `names` columns; right: the figures. Widths follow the content. */
export function formatRows(rows: readonly Row[], names: number): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, index) => (widths[index] = Math.max(widths[index] ?? 0, cell.length)));
  }
  const lines = rows.map((row) =>
    row
      .map((cell, index) =>
        index < names ? cell.padEnd(widths[index]!) : cell.padStart(widths[index]!),
      )
      .join('  ')
      .trimEnd(),
  );
  return lines.join('\n');
}

/** `undefined` of nothing. */
export function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** The value below which this part of them lies; of few values, the largest. */
export function quantile(values: readonly number[], part: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)];
}

export const fixed = (value: number | undefined, digits: number): string =>
  value === undefined || !Number.isFinite(value) ? '-' : value.toFixed(digits);

export const ratio = (of: number | undefined, to: number | undefined): string =>
  of === undefined || to === undefined || to === 0 ? '-' : `${(of / to).toFixed(2)}x`;

export const thousands = (value: number): string => value.toLocaleString('en-US');
