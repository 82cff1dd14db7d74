import { describe, expect, it } from '@jest/globals';
import { LineRecord } from '../../src/mail/lines-done.ts';

describe('what lines did', () => {
  it('is kept in order, and says which file they stand in', () => {
    const record = new LineRecord('.qmail-a');
    record.add({ line: 2, kind: 'program', what: 'x', came: 'exit 0' });
    record.add({ line: 3, kind: 'forward', what: 'a@b' });
    expect(record.all()).toEqual({
      from: '.qmail-a',
      done: [
        { line: 2, kind: 'program', what: 'x', came: 'exit 0' },
        { line: 3, kind: 'forward', what: 'a@b' },
      ],
    });
  });

  it('is bounded, in lines and in words', () => {
    const record = new LineRecord('.qmail');
    for (let line = 1; line <= 1_000; line += 1) {
      record.add({ line, kind: 'forward', what: 'x'.repeat(10_000) });
    }
    const { done, more } = record.all();
    expect([done.length, more, done[0]!.what.length]).toEqual([50, 950, 200]);
  });
});
