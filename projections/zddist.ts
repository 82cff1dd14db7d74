/** qmailanalog's zddist: how long successful deliveries took, the quickest first. */
import type { Given, Happening, Question } from '../src/ask/ports.ts';
import {
  match,
  matchingHears,
  matchingOptions,
  startMatching,
  type Matching,
} from './deliveries.ts';

/** How many took so long, and their milliseconds together. */
type Step = { count: number; sum: number };

/** By milliseconds, of which four digits count: at most 9,000 steps for each power of ten. */
export type Distribution = { readonly matching: Matching; readonly steps: Map<number, Step> };

/** The last steps of the way are the interesting ones. */
const percents = [10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 98, 99, 100];

export const question: Question<Distribution> = {
  title: 'Distribution of ddelays for successful deliveries',
  about:
    'the first pct percent of successful deliveries were over within doneby seconds, and took avg seconds on average',
  bounds: '90,000 numbers at most: doneby is exact to four digits, avg to all',
  options: matchingOptions,
  hears: matchingHears,
  learns: true,
  empty: (given: Given) => ({ matching: startMatching(given), steps: new Map() }),
  fold(distribution: Distribution, event: Happening) {
    const record = match(distribution.matching, event);
    if (record?.kind !== 'd' || record.result !== 'k') return distribution;
    const ms = Math.max(0, record.doneAt - record.birth);
    const key = fourDigits(ms);
    const step = distribution.steps.get(key);
    if (step === undefined) distribution.steps.set(key, { count: 1, sum: ms });
    else {
      step.count += 1;
      step.sum += ms;
    }
    return distribution;
  },
  answer: ({ steps }) => ({
    kind: 'table',
    columns: [
      { name: 'doneby', format: 'seconds' },
      { name: 'avg', format: 'seconds' },
      { name: 'pct', format: 'count' },
    ],
    rows: rowsOf(steps),
  }),
};
export const { empty, fold } = question;

function fourDigits(ms: number): number {
  if (ms < 10_000) return ms;
  const unit = 10 ** (Math.floor(Math.log10(ms)) - 3);
  return Math.round(ms / unit) * unit;
}

function rowsOf(steps: ReadonlyMap<number, Step>): number[][] {
  const sorted = [...steps].sort(([a], [b]) => a - b);
  const total = sorted.reduce((sum, [, { count }]) => sum + count, 0);
  return percents.flatMap((percent) => {
    const wanted = Math.floor((total * percent) / 100);
    return wanted === 0 ? [] : [rowOf(sorted, wanted, percent)];
  });
}

/** Of the quickest `wanted`: the slowest of them, and their average. */
function rowOf(
  sorted: readonly (readonly [number, Step])[],
  wanted: number,
  percent: number,
): number[] {
  let count = 0;
  let sum = 0;
  let doneBy = 0;
  for (const [ms, step] of sorted) {
    if (count >= wanted) break;
    const taken = Math.min(step.count, wanted - count);
    count += taken;
    sum += (step.sum / step.count) * taken;
    doneBy = ms;
  }
  return [doneBy / 1000, sum / wanted / 1000, percent];
}
