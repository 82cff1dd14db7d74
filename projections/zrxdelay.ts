/** qmailanalog's zrxdelay: recipients in the worst order for a mailing list, the slowest first. */
import { xdelayOf } from './deliveries.ts';
import { matchedSums } from './matching-tally.ts';

export const question = matchedSums({
  title: 'Recipients, the slowest first',
  about: 'avg: seconds that an attempt takes on average; tries: attempts',
  each: 'recipients',
  width: 2,
  add(sumsAt, record) {
    if (record.kind !== 'd') return;
    const sums = sumsAt(record.recipient);
    sums[0]! += 1;
    sums[1]! += xdelayOf(record);
  },
  columns: [
    { name: 'avg', format: 'seconds' },
    { name: 'tries', format: 'count' },
    { name: 'recipient' },
  ],
  rows: (ranked) =>
    ranked
      .map(([key, sums]) => [sums[1]! / sums[0]!, sums[0]!, key] as const)
      .sort(([one], [two]) => two - one),
});
export const { empty, fold } = question;
