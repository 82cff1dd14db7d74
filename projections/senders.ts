/** Letters and deliveries by who sent them: what zsenders and zsuids share. */
import type { Column, Question } from '../src/ask/ports.ts';
import { xdelayOf, type Delivery, type Done } from './deliveries.ts';
import { matchedSums, type Matched } from './matching-tally.ts';

/** Sums of one sender, in the order of the columns. */
const names = ['mess', 'bytes', 'sbytes', 'rbytes', 'recips', 'tries', 'xdelay'] as const;

const sumColumns = names.map((name): Column => ({
  name,
  format: name === 'xdelay' ? 'seconds' : 'count',
}));

type By = {
  readonly name: 'sender' | 'uid';
  readonly title: string;
  keyOf(record: Delivery | Done): string;
};

export const sendersQuestion = ({ name, title, keyOf }: By): Question<Matched> =>
  matchedSums({
    title,
    about:
      'mess: finished letters; bytes: theirs; sbytes: bytes times successes; rbytes: bytes times recipients; ' +
      'recips: successes and failures; tries: attempts; xdelay: seconds that attempts took together',
    each: `${name}s`,
    width: names.length,
    add: (sumsAt, record) => add(sumsAt(keyOf(record)), record),
    columns: [...sumColumns, { name }],
    rows: (ranked) => ranked.map(([key, sums]) => [...sums, key]),
  });

function add(sums: Float64Array, record: Delivery | Done): void {
  if (record.kind === 'd') {
    sums[6]! += xdelayOf(record);
    return;
  }
  const { bytes, successes, failures, deferrals } = record;
  sums[0]! += 1;
  sums[1]! += bytes;
  sums[2]! += bytes * successes;
  sums[3]! += bytes * (successes + failures);
  sums[4]! += successes + failures;
  sums[5]! += successes + failures + deferrals;
}
