/** A far side's report as one word, and reports counted by it: what zsuccesses, zfailures and zdeferrals share. */
import type { Question } from '../src/ask/ports.ts';
import { sanitizeForLog } from '../src/mail/sanitize.ts';
import { xdelayOf, type Delivery } from './deliveries.ts';
import { matchedSums, type Matched } from './matching-tally.ts';

/** As qmail-send logs it; `-` where nothing was said. */
export const reasonOf = (text: string): string => (text === '' ? '-' : sanitizeForLog(text));

const mostReports = 20_000;
const longestReport = 500;

/** A copy: a piece of a long text would keep all of it. */
const shortened = (text: string): string =>
  text.length <= longestReport ? text : Buffer.from(text.slice(0, longestReport)).toString();

const titles = {
  k: 'Reasons for success',
  d: 'Reasons for failure',
  z: 'Reasons for deferral',
} as const;

/** Counted by the report as it came: one word is made of it when somebody asks. */
export const reasonsQuestion = (result: Delivery['result']): Question<Matched> =>
  matchedSums({
    title: titles[result],
    about:
      'del: deliveries that ended so; xdelay: seconds that they took together; reason: what was said',
    each: 'reports',
    piece: `the report, cut at ${longestReport} characters`,
    width: 2,
    most: mostReports,
    add(sumsAt, record) {
      if (record.kind !== 'd' || record.result !== result) return;
      const sums = sumsAt(shortened(record.text));
      sums[0]! += 1;
      sums[1]! += xdelayOf(record);
    },
    columns: [
      { name: 'del', format: 'count' },
      { name: 'xdelay', format: 'seconds' },
      { name: 'reason' },
    ],
    rows: (ranked) => ranked.map(([text, sums]) => [sums[0], sums[1], reasonOf(text)]),
  });
