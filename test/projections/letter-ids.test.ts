import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LetterIds } from '../../projections/letter-ids.ts';
import { isMessageId } from '../../src/mail/message-id.ts';

/** Few names, so that they meet again, and such as fall into neighbouring slots. */
const name = fc.oneof(
  fc.nat(40).map((no) => `019b7654-0c00-7000-8000-${String(no).padStart(12, '0')}`),
  fc.uuid({ version: 7 }),
  fc.constantFrom(
    'x',
    '',
    '019b7654-0c00-7000-8000-00000000000',
    '019B7654-0C00-7000-8000-000000000001',
  ),
  fc.constantFrom('019b76540c00-7000-8000-000000000001-', '019b7654-0c00-7000-8000-0000000000-1'),
);

describe('names of letters as numbers', () => {
  it('are what a plain map says, in the order in which they came', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), name), { maxLength: 300, size: 'max' }),
        (acts) => {
          const ids = new LetterIds();
          const model = new Map<string, number>();
          for (const [isAdd, id] of acts) {
            const known = model.get(id);
            expect(ids.numberOf(id)).toBe(known ?? -1);
            if (isAdd && known === undefined) model.set(id, ids.add(id));
            if (!isAdd && known !== undefined) {
              ids.remove(known);
              model.delete(id);
            }
          }
          expect(ids.size).toBe(model.size);
          expect([...ids.numbers()]).toEqual([...model.values()]);
          expect([...ids.numbers()].map((letter) => ids.nameOf(letter))).toEqual([...model.keys()]);
          for (const [id, letter] of model) expect(ids.numberOf(id)).toBe(letter);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('are remembered, however many come and go', () => {
    const ids = new LetterIds();
    const nameOf = (no: number) => `019b7654-0c00-7000-8000-${String(no).padStart(12, '0')}`;
    for (let no = 0; no < 20_000; no += 1) ids.add(nameOf(no));
    for (let no = 0; no < 20_000; no += 3) ids.remove(ids.numberOf(nameOf(no)));
    for (let no = 0; no < 20_000; no += 1) {
      const letter = ids.numberOf(nameOf(no));
      expect(letter === -1 ? undefined : ids.nameOf(letter)).toBe(
        no % 3 === 0 ? undefined : nameOf(no),
      );
    }
    // The numbers of those that went are given again.
    for (let no = 0; no < 20_000; no += 3) ids.add(nameOf(no));
    expect(ids.room).toBeLessThan(40_000);
  });

  it('go through a checkpoint as words; another name than ours does not', () => {
    const ids = new LetterIds();
    const id = '019b7654-0c00-7abc-8def-0123456789ab';
    const words = new Uint32Array(4);
    ids.copyWords(ids.add(id), words, 0);
    const again = new LetterIds();
    expect(again.nameOf(again.addWords(words, 0))).toBe(id);
    expect(isMessageId(id)).toBe(true);
    expect(() => ids.copyWords(ids.add('odd'), words, 0)).toThrow(RangeError);
  });
});
