import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DataDecoder } from '../../../src/ingress/smtp/data-decoder.ts';
import { falseEnds } from './false-ends.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');

function decode(chunks: readonly string[]) {
  const decoder = new DataDecoder();
  let content = '';
  let rest = '';
  let ended = false;
  for (const chunk of chunks) {
    if (ended) {
      rest += chunk;
      continue;
    }
    const step = decoder.push(bytes(chunk));
    content += Buffer.from(step.content).toString('latin1');
    if (step.end < 0) continue;
    ended = true;
    rest += chunk.slice(step.end);
  }
  const { bare, lines, eightBit } = decoder;
  expect(decoder.bytes).toBe(content.length);
  return { content, ended, rest, bare, lines, eightBit };
}

/** Every way to cut a text in two, and the one into single bytes. */
const cuts = (text: string): string[][] => [
  ...Array.from({ length: text.length }, (_, i) => [text.slice(0, i), text.slice(i)]),
  [...text],
];

describe('the data of a letter', () => {
  it.each([
    ['.\r\n', ''],
    ['a\r\n.\r\n', 'a\r\n'],
    ['..\r\n.\r\n', '.\r\n'],
    ['..x\r\n.x\r\n...\r\n.\r\n', '.x\r\nx\r\n..\r\n'],
    ['\r\n\r\n.\r\n', '\r\n\r\n'],
    ['a.\r\nb.c\r\n.\r\n', 'a.\r\nb.c\r\n'],
    ['\0\xff\r\n.\r\n', '\0\xff\r\n'],
  ])('%j is %j, however it is cut', (sent, content) => {
    for (const chunks of cuts(`${sent}QUIT\r\n`)) {
      expect(decode(chunks)).toMatchObject({ content, ended: true, rest: 'QUIT\r\n', bare: false });
    }
  });

  it('counts its line ends, so that CRLF can be counted as one byte', () => {
    expect(decode(['a\r\n\r\nb\r\n.\r\n']).lines).toBe(3);
  });

  it('tells whether it has 8-bit bytes', () => {
    expect(decode(['a\r\n.\r\n']).eightBit).toBe(false);
    expect(decode(['a\xe4\r\n.\r\n']).eightBit).toBe(true);
    expect(decode(['\xe4\r\n.\r\n']).eightBit).toBe(true);
  });
});

describe('a false end of data', () => {
  it.each(falseEnds)('%j ends nothing, however it is cut', (end) => {
    const sent = `a${end}MAIL FROM:<evil@x.test>\r\n.\r\n`;
    for (const chunks of cuts(`${sent}QUIT\r\n`)) {
      const { ended, rest, content, bare } = decode(chunks);
      expect({ ended, rest }).toEqual({ ended: true, rest: 'QUIT\r\n' });
      expect(content).toContain('MAIL FROM');
      expect(bare).toBe(/\r(?!\n)|(?<!\r)\n/.test(end));
    }
  });
});

/** A slow and plain reading of the same language. */
function plain(text: string) {
  const end = /^\.\r\n|\r\n\.\r\n/.exec(text);
  const start = end === null ? 0 : end.index + (end[0].startsWith('.') ? 0 : 2);
  const data = end === null ? text : text.slice(0, start);
  const content = data.replace(/(^|\r\n)\.(?!\r(?!\n)|$)/g, '$1');
  return {
    ended: end !== null,
    content,
    rest: end === null ? '' : text.slice(start + 3),
    bare: /\r(?!\n)|(?<!\r)\n/.test(data),
  };
}

describe('any data', () => {
  const soup = fc
    .array(fc.constantFrom('\r', '\n', '.', '\r\n', '\r\n.', 'a', '\0', '\xe4'), { maxLength: 30 })
    .map((pieces) => pieces.join(''));

  it('is read the same however the network cuts it', () => {
    fc.assert(
      fc.property(soup, fc.array(fc.nat(40), { maxLength: 6 }), (text, places) => {
        const sent = `${text}\r\n.\r\n`;
        const at = [...new Set(places)]
          .filter((place) => place < sent.length)
          .sort((a, b) => a - b);
        const chunks = [0, ...at].map((from, i) => sent.slice(from, at[i] ?? sent.length));
        expect(decode(chunks)).toEqual(decode([sent]));
      }),
      { numRuns: 2_000 },
    );
  });

  it('is read as a plain reading of RFC 5321 reads it', () => {
    fc.assert(
      fc.property(soup, (text) => {
        const sent = `${text}\r\n.\r\n`;
        const { content, ended, rest, bare } = decode([sent]);
        expect({ content, ended, rest, bare }).toEqual(plain(sent));
      }),
      { numRuns: 2_000 },
    );
  });
});
