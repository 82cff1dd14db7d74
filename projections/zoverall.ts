/** qmailanalog's zoverall: the sums of everything. */
import type { Given, Happening, Question } from '../src/ask/ports.ts';
import {
  ddelayOf,
  match,
  matchingHears,
  matchingOptions,
  openLettersOnly,
  seconds,
  startMatching,
  xdelayOf,
  type Delivery,
  type Done,
  type Matching,
} from './deliveries.ts';

export type Overall = {
  readonly matching: Matching;
  letters: number;
  recipients: number;
  lettersAttempts: number;
  bytes: number;
  weightedBytes: number;
  qtime: number;
  readonly attempts: { k: number; d: number; z: number };
  ddelay: number;
  xdelay: number;
  /** Of the first and the last thing counted, milliseconds since 1970. */
  first: number;
  last: number;
};

export const question: Question<Overall> = {
  title: 'Everything, added up',
  about:
    'qtime: seconds that a letter was in the queue; ddelay: from then to a success; xdelay: of one attempt',
  bounds: openLettersOnly,
  options: matchingOptions,
  hears: matchingHears,
  learns: true,
  empty: (given: Given) => ({
    matching: startMatching(given),
    ...{ letters: 0, recipients: 0, lettersAttempts: 0, bytes: 0, weightedBytes: 0, qtime: 0 },
    ...{ attempts: { k: 0, d: 0, z: 0 }, ddelay: 0, xdelay: 0, first: Infinity, last: -Infinity },
  }),
  fold(overall: Overall, event: Happening) {
    const record = match(overall.matching, event);
    if (record?.kind === 'm') addLetter(overall, record);
    else if (record?.kind === 'd') addDelivery(overall, record);
    return overall;
  },
  answer: (overall) => ({ kind: 'lines', lines: linesOf(overall) }),
};
export const { empty, fold } = question;

function addLetter(overall: Overall, letter: Done): void {
  const { successes, failures, deferrals, bytes, birth, doneAt } = letter;
  overall.letters += 1;
  overall.recipients += successes + failures;
  overall.lettersAttempts += successes + failures + deferrals;
  overall.bytes += bytes;
  overall.weightedBytes += bytes * successes;
  overall.qtime += seconds(doneAt - birth);
  see(overall, birth, doneAt);
}

function addDelivery(overall: Overall, delivery: Delivery): void {
  overall.attempts[delivery.result] += 1;
  overall.xdelay += xdelayOf(delivery);
  if (delivery.result === 'k') overall.ddelay += ddelayOf(delivery);
  see(overall, delivery.startedAt, delivery.doneAt);
}

function see(overall: Overall, from: number, to: number): void {
  overall.first = Math.min(overall.first, from);
  overall.last = Math.max(overall.last, to);
}

function linesOf(overall: Overall): string[] {
  const { letters, recipients, lettersAttempts, bytes, weightedBytes, qtime } = overall;
  const { attempts, ddelay, xdelay } = overall;
  const tries = attempts.k + attempts.d + attempts.z;
  const span = overall.last < overall.first ? 0 : seconds(overall.last - overall.first);
  return [
    `Completed messages: ${letters}`,
    `Recipients for completed messages: ${recipients}`,
    `Total delivery attempts for completed messages: ${lettersAttempts}`,
    `Average delivery attempts per completed message: ${average(lettersAttempts, letters)}`,
    `Bytes in completed messages: ${bytes}`,
    `Bytes weighted by success: ${weightedBytes}`,
    `Average message qtime (s): ${average(qtime, letters)}`,
    '',
    `Total delivery attempts: ${tries}`,
    `  success: ${attempts.k}`,
    `  failure: ${attempts.d}`,
    `  deferral: ${attempts.z}`,
    `Total ddelay (s): ${sixDigits(ddelay)}`,
    `Average ddelay per success (s): ${average(ddelay, attempts.k)}`,
    `Total xdelay (s): ${sixDigits(xdelay)}`,
    `Average xdelay per delivery attempt (s): ${average(xdelay, tries)}`,
    `Time span (days): ${sixDigits(span / 86_400)}`,
    `Average concurrency: ${average(xdelay, span)}`,
  ];
}

const average = (sum: number, of: number): string => (of > 0 ? sixDigits(sum / of) : '0');

/** As awk(1) prints numbers. */
const sixDigits = (amount: number): string =>
  Number.isInteger(amount) ? String(amount) : String(Number(amount.toPrecision(6)));
