/** A line per attempt and per finished letter, as they end: what matchup and zsendmail print. */
import type { Given, Happening, Question } from '../src/ask/ports.ts';
import {
  match,
  matchingHears,
  matchingOptions,
  openLettersOnly,
  startMatching,
  type Delivery,
  type Done,
  type Matching,
} from './deliveries.ts';

export type Lines = { readonly matching: Matching; said: readonly string[] };

type Printed = Pick<Question<Lines>, 'title' | 'about'> & {
  letterLine(letter: Done): string;
  deliveryLine(delivery: Delivery): string;
};

export const matchedLines = (printed: Printed): Question<Lines> => ({
  ...{ title: printed.title, about: printed.about, bounds: openLettersOnly },
  options: matchingOptions,
  hears: matchingHears,
  learns: true,
  empty: (given: Given) => ({ matching: startMatching(given), said: [] }),
  fold(lines: Lines, event: Happening) {
    const record = match(lines.matching, event);
    if (record === undefined) lines.said = [];
    else
      lines.said = [
        record.kind === 'm' ? printed.letterLine(record) : printed.deliveryLine(record),
      ];
    return lines;
  },
  said: ({ said }) => said,
});

export const formatSeconds = (ms: number): string => (ms / 1000).toFixed(6);
