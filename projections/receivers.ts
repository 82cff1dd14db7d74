/** Deliveries by whom they were for: what zrecipients and zrhosts share. */
import type { Question } from '../src/ask/ports.ts';
import { xdelayOf, type Delivery } from './deliveries.ts';
import { matchedSums, type Matched } from './matching-tally.ts';

type By = {
  readonly name: 'recipient' | 'host';
  readonly title: string;
  keyOf(delivery: Delivery): string;
};

export const receiversQuestion = ({ name, title, keyOf }: By): Question<Matched> =>
  matchedSums({
    title,
    about:
      'sbytes: bytes successfully delivered; mess: letters that succeeded or failed; tries: attempts; ' +
      'xdelay: seconds that attempts took together',
    each: `${name}s`,
    width: 4,
    add(sumsAt, record) {
      if (record.kind !== 'd') return;
      const sums = sumsAt(keyOf(record));
      if (record.result === 'k') sums[0]! += record.bytes;
      if (record.result !== 'z') sums[1]! += 1;
      sums[2]! += 1;
      sums[3]! += xdelayOf(record);
    },
    columns: [
      { name: 'sbytes', format: 'count' },
      { name: 'mess', format: 'count' },
      { name: 'tries', format: 'count' },
      { name: 'xdelay', format: 'seconds' },
      { name },
    ],
    rows: (ranked) => ranked.map(([key, sums]) => [...sums, key]),
  });
