import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { quoteFrom } from '../../../src/delivery/local/quote-from.ts';

async function quoted(pieces: readonly string[]): Promise<string> {
  async function* chunks() {
    for (const piece of pieces) yield Buffer.from(piece, 'latin1');
  }
  let text = '';
  for await (const chunk of quoteFrom(chunks())) text += Buffer.from(chunk).toString('latin1');
  return text;
}

/** The rule itself, line by line. */
const expected = (text: string): string =>
  text
    .split('\n')
    .map((line) => (/^>*From /.test(line) ? `>${line}` : line))
    .join('\n') + (text === '' || text.endsWith('\n') ? '' : '\n');

describe('a letter in an mbox', () => {
  it.each([
    ['From me\n', '>From me\n'],
    ['>From me\n>>From you\n', '>>From me\n>>>From you\n'],
    ['a\nFrom me\nFrom you\n', 'a\n>From me\n>From you\n'],
    [
      'from me\n From me\nFrom: me\nFromage\nxFrom me\n',
      'from me\n From me\nFrom: me\nFromage\nxFrom me\n',
    ],
    ['no end', 'no end\n'],
    ['From', 'From\n'],
    ['', ''],
    ['\n\n', '\n\n'],
  ])('%p becomes %p', async (text, result) => {
    expect(await quoted([text])).toBe(result);
  });

  it('is quoted the same however it is cut', async () => {
    const piece = fc.constantFrom('From ', '>', 'F', 'rom', ' ', '\n', 'x', 'From', '\nFrom ', 'ü');
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (pieces) => {
        expect(await quoted(pieces)).toBe(expected(pieces.join('')));
      }),
      { numRuns: 500 },
    );
  });

  it('does not grow dear with a line of nothing but quotes', async () => {
    const long = Array.from({ length: 40 }, () => '>'.repeat(65_536));
    expect(await quoted(long)).toBe(`${long.join('')}\n`);
  });
});
