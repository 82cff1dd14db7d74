import { describe, expect, it } from '@jest/globals';
import { foldLetter } from '../../src/trace/reason.ts';
import { findLetter, splitName } from '../../src/trace/letter-name.ts';
import { findRecipients } from '../../src/trace/find-recipients.ts';
import { letter, message, redirected } from '../support/queue-mail.ts';
import { letterLog } from './recorded.ts';

describe('the name of a letter', () => {
  const only = (part: string) => (message.includes(part) ? [`message-${message}`] : []);
  it.each([message, ` MESSAGE-${message.toUpperCase()} `, '000001', 'message-019b7654'])(
    '%j is understood',
    (text) => {
      expect(findLetter(text, only)).toBe(message);
    },
  );

  it.each([
    ['', 'is no id'],
    ['---', 'is no id'],
    ['zebra', 'zebra is no id of a letter'],
    ['\u001b[31m', 'is no id'],
    ['ffff', 'there is no letter ffff'],
  ])('%j is refused: %s', (text, expected) => {
    expect(() => findLetter(text, () => [])).toThrow(expected);
  });

  it('is not guessed at when several answer to it', () => {
    const several = Array.from({ length: 1_200 }, (_, n) => `message-${n}`);
    const among = (found: number) => () =>
      findLetter('0', (_, most) => several.slice(0, Math.min(found, most)));
    expect(among(2)).toThrow('0 is ambiguous: 2 letters answer to it');
    expect(among(1_200)).toThrow('0 is ambiguous: more than 1000 letters answer to it');
    const thrown = (found: number): unknown => {
      try {
        return among(found)();
      } catch (cause) {
        return cause;
      }
    };
    expect(thrown(2)).toMatchObject({ named: ['0', '1'], others: 0, orMore: false });
    expect(thrown(212)).toMatchObject({ others: 202, orMore: false });
    expect(thrown(1_200)).toMatchObject({ others: 990, orMore: true });
  });

  it('may name a recipient behind a slash', () => {
    expect([splitName('abc'), splitName('abc/1'), splitName('abc/a/b@c.test')]).toEqual([
      { id: 'abc', rcpt: undefined },
      { id: 'abc', rcpt: '1' },
      { id: 'abc', rcpt: 'a/b@c.test' },
    ]);
  });
});

describe('a recipient', () => {
  const { state, envelope } = foldLetter(
    letterLog(letter('ann@b.test', 'bob@here.test', 'Ann@B.test'), redirected(1, 'eve@c.test')),
  );
  it.each([
    ['0', [0]],
    ['ann@b.test', [0, 2]],
    ['<ANN@b.test>', [0, 2]],
    ['bob@here.test', [1]],
    ['eve@c.test', [1]],
  ])('%s is number %j', (asked, expected) => {
    expect(findRecipients(asked, state, envelope)).toEqual(expected);
  });

  it.each(['3', '-1', 'nobody@b.test', ''])('%j is none', (asked) => {
    expect(() => findRecipients(asked, state, envelope)).toThrow('the letter has no recipient');
  });
});
