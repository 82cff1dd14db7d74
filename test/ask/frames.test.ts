import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Frames, mostAnswerBytes, toFrame } from '../../src/ask/cage/frames.ts';

describe('texts over a pipe', () => {
  it('come out as they went in, however the pipe cuts them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme', maxLength: 30 }), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
        (texts, sizes) => {
          const bytes = Buffer.concat(texts.map(toFrame));
          const frames = new Frames();
          const taken: string[] = [];
          for (let at = 0, cut = 0; at < bytes.length; cut += 1) {
            const size = sizes[cut % sizes.length]!;
            taken.push(...frames.take(bytes.subarray(at, at + size)));
            at += size;
          }
          expect(taken).toEqual(texts.map((text) => Buffer.from(text).toString()));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('are no answers when they are longer than any, which their length tells before they come', () => {
    const head = Buffer.alloc(4);
    head.writeUInt32LE(mostAnswerBytes + 1);
    expect(() => new Frames().take(head)).toThrow('it has more to say than 16 MiB at once');
    head.writeUInt32LE(mostAnswerBytes);
    expect(new Frames().take(head)).toEqual([]);
  });
});
