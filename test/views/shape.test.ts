import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { replyPieces, trigramsOf } from '../../src/views/reply-pieces.ts';
import { shapeOf } from '../../src/views/shape.ts';

describe('a reply', () => {
  it.each([
    ['451 4.7.1 <joe@b.test>: try again in 300 seconds', '451 4.7.1 … try again in … seconds'],
    ['250 2.0.0 Ok: queued as 4F2B1C9', '250 2.0.0 Ok: queued as …'],
    ['did 1+0+0\n', 'did 1+0+0\n'],
    ['192.0.2.7 said:\n 550 5.1.1 no', '… said:\n 550 5.1.1 no'],
    ['', ''],
  ])('%j is counted as %j', (text, shape) => {
    const given = shapeOf(text);
    expect(given.shape).toBe(shape);
    let at = 0;
    expect(given.shape.replaceAll('…', () => given.words[at++]!)).toBe(text);
  });

  const word = fc.oneof(
    fc.constantFrom('user', 'a', 'ok', '451', '4.7.1', '300', 'x1', 'joe@b.test', '4F2B1C9', '(#5.1.1)', 'İß', '1+0'),
    fc.string({ minLength: 1, maxLength: 9, unit: fc.constantFrom('a', 'B', '1', '@', '.', '"') }),
  ); // prettier-ignore
  const reply = fc.array(word, { minLength: 1, maxLength: 8 }).map((words) => words.join(' '));

  it('is found by any part of it that the index promises to find', () => {
    fc.assert(
      fc.property(reply, fc.nat(80), fc.nat(80), (text, one, two) => {
        const [from, to] = [Math.min(one, two), Math.max(one, two)];
        const asked = text.slice(from, to);
        const { core, pieces, isIndexed } = replyPieces(asked);
        if (!isIndexed || !text.toLowerCase().includes(asked.toLowerCase())) return;
        const { shape, words } = shapeOf(text);
        const heldByShape = shape.toLowerCase().includes(core);
        const heldByWord = pieces.some(
          (piece) =>
            trigramsOf(piece).length > 0 &&
            words.some((each) => each.toLowerCase().includes(piece)),
        );
        expect([text, asked, heldByShape || heldByWord]).toEqual([text, asked, true]);
      }),
      { numRuns: 2_000 },
    );
  });
});
