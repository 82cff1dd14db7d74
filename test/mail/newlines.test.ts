import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { crlfToLf, lfToCrlf, normalizeNewlines } from '../../src/mail/newlines.ts';
import type { ByteConverter } from '../../src/mail/newlines.ts';

const encode = (text: string) => new TextEncoder().encode(text);

/** What comes out when `text` goes in, cut into pieces of these sizes. */
function through(converter: ByteConverter, text: string, cuts: readonly number[] = []): string {
  const bytes = encode(text);
  let out = '';
  let at = 0;
  for (const size of [...cuts, bytes.length]) {
    out += new TextDecoder().decode(converter.push(bytes.slice(at, at + size)));
    at += size;
  }
  return out + new TextDecoder().decode(converter.end());
}

const letters = fc
  .array(fc.constantFrom('\r', '\n', '\r\n', 'a', '.', '\0'), { maxLength: 60 })
  .map((parts) => parts.join(''));
const cuts = fc.array(fc.nat(5), { maxLength: 20 });

const converters = [
  ['to LF', crlfToLf, (text: string) => text.replaceAll('\r\n', '\n')],
  ['to CRLF', lfToCrlf, (text: string) => text.replace(/(?<!\r)\n/g, '\r\n')],
  ['to CRLF throughout', normalizeNewlines, (text: string) => text.replace(/\r\n|\r|\n/g, '\r\n')],
] as const;

describe.each(converters)('line ends brought %s', (_, make, expected) => {
  it('are the same however the bytes arrive', () => {
    fc.assert(
      fc.property(letters, cuts, (text, sizes) => {
        expect(through(make(), text, sizes)).toBe(expected(text));
      }),
      { numRuns: 500 },
    );
  });

  it('leave the bytes that came in alone', () => {
    const chunk = encode('a\r\nb\nc\r');
    make().push(chunk);
    expect(chunk).toEqual(encode('a\r\nb\nc\r'));
  });
});

describe('line ends', () => {
  it('keep a lone CR on the way to LF', () => {
    expect(through(crlfToLf(), 'a\r\n\r\rq\r\nlone\rcr\r\n')).toBe('a\n\r\rq\nlone\rcr\n');
    expect(through(crlfToLf(), 'x\r\r\n')).toBe('x\r\n');
    expect(through(crlfToLf(), 'x\r')).toBe('x\r');
  });

  it('survive the way to LF and back when all of them were CRLF', () => {
    const proper = fc.array(fc.constantFrom('a', '.', '\r\n')).map((parts) => parts.join(''));
    fc.assert(
      fc.property(proper, cuts, cuts, (text, some, others) => {
        expect(through(lfToCrlf(), through(crlfToLf(), text, some), others)).toBe(text);
      }),
    );
  });

  it('stand nowhere on their own once they are normalized', () => {
    fc.assert(
      fc.property(letters, (text) => {
        expect(through(normalizeNewlines(), text)).not.toMatch(/\r(?!\n)|(?<!\r)\n/);
      }),
    );
  });
});
