import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { dotStuffer } from '../../../src/delivery/remote/data-encoding.ts';

function encode(...chunks: readonly string[]): string {
  const stuffer = dotStuffer();
  const parts = chunks.map((chunk) => Buffer.from(stuffer.push(Buffer.from(chunk, 'latin1'))));
  return Buffer.concat([...parts, stuffer.end()]).toString('latin1');
}

/** The receiver's side (RFC 5321 §4.5.2). */
function decode(wire: string): string {
  const end = wire.startsWith('.\r\n') ? 0 : wire.indexOf('\r\n.\r\n') + 2;
  expect(end + 3).toBe(wire.length);
  return wire.slice(0, end).replace(/(^|\r\n)\./g, '$1');
}

const text = fc
  .array(fc.constantFrom('.', '..', 'a', '\x00', '\xff', ' ', 'MAIL'), { maxLength: 6 })
  .map((pieces) => pieces.join(''));
const body = fc
  .array(text, { maxLength: 20 })
  .map((lines) => lines.map((l) => `${l}\r\n`).join(''));

describe('a body on the wire', () => {
  it.each([
    ['nothing at all', '', '.\r\n'],
    ['a line', 'a\r\n', 'a\r\n.\r\n'],
    ['a dot at the very start', '.a\r\n', '..a\r\n.\r\n'],
    ['a lone dot', 'a\r\n.\r\nb\r\n', 'a\r\n..\r\nb\r\n.\r\n'],
    ['dots that start no line', 'a.b\r\n', 'a.b\r\n.\r\n'],
    ['an unfinished last line', 'a', 'a\r\n.\r\n'],
    ['an unfinished lone dot', '.', '..\r\n.\r\n'],
    ['a bare LF', 'a\n.\nb\r\n', 'a\r\n..\r\nb\r\n.\r\n'],
    ['a bare CR', 'a\r.\rb\r\n', 'a\r\n..\r\nb\r\n.\r\n'],
    ['a CR before CRLF', 'a\r\r\n.\r\n', 'a\r\n\r\n..\r\n.\r\n'],
    ['a bare CR at the end', 'a\r', 'a\r\n.\r\n'],
    ['a smuggled end of data, in LF', 'a\n.\r\nMAIL\r\n', 'a\r\n..\r\nMAIL\r\n.\r\n'],
    [
      'a smuggled end of data, in CR',
      'x\r\nlone\rcr\nq\r.\r\nend\r\n',
      'x\r\nlone\r\ncr\r\nq\r\n..\r\nend\r\n.\r\n',
    ],
  ])('with %s', (_, stored, wire) => {
    expect(encode(stored)).toBe(wire);
  });

  it('is what was stored, once the receiver has taken the dots away', () => {
    fc.assert(fc.property(body, (stored) => expect(decode(encode(stored))).toBe(stored)));
  });

  it('is the same however it was cut', () => {
    const any = fc
      .array(fc.constantFrom('.', '\r', '\n', '\r\n', 'a'), { maxLength: 40 })
      .map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(any, fc.array(fc.nat(60), { maxLength: 6 }), (stored, cuts) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), stored.length];
        const chunks = edges.map((edge, n) => stored.slice(edge, edges[n + 1]));
        expect(encode(...chunks)).toBe(encode(stored));
      }),
    );
  });

  it('ends once, whatever the bytes', () => {
    const any = fc
      .array(fc.constantFrom('.', '\r', '\n', 'a'), { maxLength: 40 })
      .map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(any, (stored) => {
        const wire = encode(stored);
        const seenByAnybody = wire.replace(/\r\n|\r|\n/g, '\n');
        expect(`\n${seenByAnybody}`.indexOf('\n.\n')).toBe(seenByAnybody.length - 2);
        expect(wire).not.toMatch(/\r(?!\n)|(?<!\r)\n/);
      }),
    );
  });

  it('is not copied when nothing changes', () => {
    const chunk = Buffer.from('a\r\nb.\r\n');
    expect(dotStuffer().push(chunk)).toBe(chunk);
  });
});
