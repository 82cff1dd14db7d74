import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { messageIdReader } from '../../src/mail/header-message-id.ts';

const read = (...chunks: readonly string[]): string | undefined => {
  const reader = messageIdReader();
  for (const chunk of chunks) reader.push(Buffer.from(chunk, 'latin1'));
  return reader.found;
};

describe('the Message-ID of a letter', () => {
  it.each([
    ['Subject: x\r\nMessage-ID: <a.1@b.test>\r\n\r\nbody', 'a.1@b.test'],
    ['message-id:\r\n <a@b.test>\r\n\r\n', 'a@b.test'],
    ['Message-Id: a@b.test\r\n\r\n', 'a@b.test'],
    ['Subject: x\r\n\r\nMessage-ID: <a@b.test>\r\n', undefined],
    ['X-Message-ID: <a@b.test>\r\n\r\n', undefined],
    ['Message-ID: <\u001b[2J\u0080@b.test>\r\n\r\n', '?[2J?@b.test'],
    ['Message-ID:\r\nSubject: x\r\n\r\n', undefined],
    ['', undefined],
  ])('in %j is %j', (letter, id) => {
    expect(read(letter)).toBe(id);
  });

  it('is looked for in the first 8 KiB only', () => {
    expect(read(`X: ${'x'.repeat(9_000)}\r\nMessage-ID: <a@b.test>\r\n\r\n`)).toBeUndefined();
  });

  it('is the same wherever the letter is cut', () => {
    const letter =
      'Received: x\r\nMessage-ID:\r\n <a.b@c.test>\r\nSubject: y\r\n\r\nMessage-ID: <z@z>\r\n';
    fc.assert(
      fc.property(fc.array(fc.nat(letter.length), { maxLength: 6 }), (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), letter.length];
        const chunks = places.slice(1).map((end, index) => letter.slice(places[index], end));
        expect(read(...chunks)).toBe('a.b@c.test');
      }),
    );
  });
});
