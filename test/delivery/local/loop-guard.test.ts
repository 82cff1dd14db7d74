import { describe, expect, it } from '@jest/globals';
import { hasBeenHere } from '../../../src/delivery/local/loop-guard.ts';
import { letterOf } from './story.ts';

const line = 'Delivered-To: joe@h.x\n';
const cases: [string, string, boolean][] = [
  ['the line first', 'Delivered-To: joe@h.x\r\nA: b\r\n\r\nbody\r\n', true],
  ['the line last', 'A: b\r\nDelivered-To: joe@h.x\r\n\r\nbody\r\n', true],
  ['the line and no body', 'A: b\r\nDelivered-To: joe@h.x\r\n', true],
  ['the line without its end', 'A: b\r\nDelivered-To: joe@h.x', false],
  ['it in the body only', 'A: b\r\n\r\nDelivered-To: joe@h.x\r\n', false],
  ['it after an empty first line', '\r\nDelivered-To: joe@h.x\r\n', false],
  ['another case of the name', 'delivered-to: joe@h.x\r\n\r\n', false],
  ['another case of the host', 'Delivered-To: joe@H.x\r\n\r\n', false],
  ['a longer address', 'Delivered-To: joe@h.x.y\r\n\r\n', false],
  ['it within a line', 'X-Delivered-To: joe@h.x\r\n\r\n', false],
  ['a folded line', 'Delivered-To:\r\n joe@h.x\r\n\r\n', false],
  ['nothing', '', false],
];

describe('a letter', () => {
  it.each(cases)('with %s has or has not been here', async (_, text, expected) => {
    expect(await hasBeenHere(letterOf(text), line)).toBe(expected);
    for (const size of [1, 2, 3, 5, 16, 25]) {
      expect(await hasBeenHere(letterOf(text, size), line)).toBe(expected);
    }
  });

  it('is read no further than its header', async () => {
    let pieces = 0;
    const letter = {
      whole: undefined,
      wireBytes: 0,
      async *chunks() {
        for (; pieces < 100; pieces += 1) yield Buffer.from('A: b\n\nbody\n');
      },
    };
    await hasBeenHere(letter, line);
    expect(pieces).toBe(0);
  });
});
