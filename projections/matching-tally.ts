/** Attempts and finished letters, added up by a key in bounded memory: what most reports of qmailanalog are. */
import type { Cell, Column, Given, Happening, Question } from '../src/ask/ports.ts';
import {
  match,
  matchingHears,
  matchingOptions,
  startMatching,
  type Delivery,
  type Done,
  type Matching,
} from './deliveries.ts';
import { boundsWords, keepOption, ranked, startTally, sumsOf, type Tally } from './tally.ts';

export type Matched = { readonly matching: Matching; readonly tally: Tally };

export type MatchedSums = Pick<Question<Matched>, 'title' | 'about'> & {
  /** What has a row each: `recipients`; and what is kept of each besides. */
  readonly each: string;
  readonly piece?: string;
  /** Sums per key; the first makes a key common. */
  readonly width: number;
  /** Keys told apart when nobody says otherwise. */
  readonly most?: number;
  /** `sumsAt(key)` are the sums of a key, to add to. */
  add(sumsAt: (key: string) => Float64Array, record: Delivery | Done): void;
  readonly columns: readonly Column[];
  /** The commonest key first. */
  rows(ranked: readonly (readonly [string, Float64Array])[]): readonly (readonly Cell[])[];
};

export function matchedSums(report: MatchedSums): Question<Matched> {
  const { title, about, each, piece, width, most, add, columns, rows } = report;
  return {
    ...{ title, about },
    bounds: boundsWords(each) + (piece === undefined ? '' : `, and ${piece}`),
    options: { ...matchingOptions, keep: keepOption(most) },
    hears: matchingHears,
    learns: true,
    empty: (given: Given) => ({
      matching: startMatching(given),
      tally: startTally(width, given['keep']),
    }),
    fold(matched: Matched, event: Happening) {
      const record = match(matched.matching, event);
      if (record !== undefined) add((key) => sumsOf(matched.tally, key), record);
      return matched;
    },
    answer: ({ tally }) => ({ kind: 'table', columns, rows: rows(ranked(tally)) }),
  };
}
