import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  cleanReply,
  enhancedStatus,
  longestReply,
  replyReader,
  saysNever,
  saysYes,
  toReply,
} from '../../../src/delivery/remote/replies.ts';

const latin1 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

describe('a reply', () => {
  it.each([
    ['of one line', '250 ok\r\n', [{ code: 250, text: '250 ok' }]],
    ['without text', '250\r\n', [{ code: 250, text: '250' }]],
    ['that ends its lines as it should not', '250 ok\n', [{ code: 250, text: '250 ok' }]],
    ['of three lines', '550-a\r\n550-b\r\n550 c\r\n', [{ code: 550, text: '550-a\n550-b\n550 c' }]],
    ['whose first line decides', '250-a\r\n550 b\r\n', [{ code: 250, text: '250-a\n550 b' }]],
    ['without a code', 'hello\r\n', [{ code: 0, text: 'hello' }]],
    ['with four digits', '2500 ok\r\n', [{ code: 0, text: '2500 ok' }]],
    ['in UTF-8', latin1('250 grüß\r\n'), [{ code: 250, text: '250 grüß' }]],
    ['in Latin-1', '250 gr\xfc\r\n', [{ code: 250, text: '250 gr\xfc' }]],
    ['after empty lines', '\r\n\r\n250 ok\r\n', [{ code: 250, text: '250 ok' }]],
  ])('%s is read', (_, bytes, expected) => {
    expect(replyReader().push(bytes)).toEqual(expected);
  });

  it('is the same however its bytes were cut', () => {
    const whole = latin1('220 hi\r\n250-a ü\r\n250 b\r\n354 go\r\n421 bye\r\n');
    const expected = replyReader().push(whole);
    fc.assert(
      fc.property(fc.array(fc.nat(whole.length), { maxLength: 8 }), (cuts) => {
        const reader = replyReader();
        const edges = [0, ...cuts.sort((a, b) => a - b), whole.length];
        const replies = edges.flatMap(
          (edge, n) => reader.push(whole.slice(edge, edges[n + 1])) ?? [],
        );
        expect(replies).toEqual(expected);
      }),
    );
  });

  it('is refused when it does not end', () => {
    const reader = replyReader();
    const line = `250-${'x'.repeat(996)}\r\n`;
    for (let bytes = 0; bytes + 1000 < longestReply; bytes += 1000) {
      expect(reader.push(line)).toEqual([]);
    }
    expect(reader.push(line)).toBeUndefined();
    expect(replyReader().push('x'.repeat(longestReply + 1))).toBeUndefined();
  });
});

describe('what a code says', () => {
  it.each([
    [250, true, false],
    [251, true, false],
    [354, true, false],
    [399, true, false],
    [450, false, false],
    [500, false, true],
    [599, false, true],
    [600, false, false],
    [0, false, false],
    [120, false, false],
  ])('%i', (code, yes, never) => {
    expect([saysYes({ code, text: '' }), saysNever({ code, text: '' })]).toEqual([yes, never]);
  });

  it.each([
    ['550 5.1.1 no such user', '5.1.1'],
    ['450-4.7.1 grey\n450 4.7.1 list', '4.7.1'],
    ['550 5.1.1', '5.1.1'],
    ['550 4.1.1 which is it', undefined],
    ['550 5.1.1.1 no', undefined],
    ['550 no 5.1.1', undefined],
    ['hello', undefined],
  ])('more exactly in %j', (text, status) => {
    expect(enhancedStatus(toReply(text))).toBe(status);
  });
});

describe('the words of a stranger', () => {
  it.each([
    ['550 a\r\rb', '550 ab'],
    ['550 a\0b\x1b[2J\x7f\u009b\tc', '550 a?b?[2J???c'],
    ['550-a\n550 b', '550-a\n550 b'],
    ['250 grüß', '250 grüß'],
  ])('%j become harmless', (text, expected) => {
    expect(cleanReply(text)).toBe(expected);
  });

  it('are cut at 5,000 characters', () => {
    expect(cleanReply(`550 ${'x'.repeat(9_000)}`)).toHaveLength(5_000);
  });
});
