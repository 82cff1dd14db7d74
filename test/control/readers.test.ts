import { describe, expect, it } from '@jest/globals';
import { FoldedMap, FoldedSet } from '../../src/control/folded.ts';
import {
  parseAmount,
  parseLine,
  parseList,
  parsePairs,
  parseText,
  toPairMap,
} from '../../src/control/readers.ts';

describe('a line file', () => {
  it.each([
    ['mail.demo.test\n', 'mail.demo.test'],
    ['mail.demo.test', 'mail.demo.test'],
    ['mail.demo.test \t\n', 'mail.demo.test'],
    ['first\nsecond\n', 'first'],
    ['  lead\n', '  lead'],
    ['# not a comment\n', '# not a comment'],
    ['with\r\n', 'with\r'],
    ['\nsecond\n', ''],
    ['', ''],
  ])('of %j says %j', (text, value) => {
    expect(parseLine(text).value).toBe(value);
  });

  it.each([
    ['mail.demo.test\n', 0],
    ['with\r\n', 1],
    ['  lead\n', 1],
    ['first\nsecond\n', 1],
    ['first\n\n', 0],
  ])('of %j is worth %d notes', (text, notes) => {
    expect(parseLine(text).notes).toHaveLength(notes);
  });
});

describe('an amount file', () => {
  it.each([
    ['20\n', 20],
    ['0', 0],
    ['12abc\n', 12],
    ['007\n', 7],
    ['abc\n', undefined],
    ['-5\n', undefined],
    [' 5\n', undefined],
    ['', undefined],
    ['99999999999999999999\n', Number.MAX_SAFE_INTEGER],
  ])('of %j says %p', (text, value) => {
    expect(parseAmount(text).value).toBe(value);
  });

  it('is worth a note when not all of it counts', () => {
    expect(parseAmount('20\n').notes).toEqual([]);
    expect(parseAmount('12abc\n').notes).toHaveLength(1);
    expect(parseAmount('').notes).toHaveLength(1);
  });
});

describe('a list file', () => {
  it('gives its entries with their lines, and skips empty lines and comments', () => {
    const text = 'a.test \t\n\n# comment\n #no comment\nlast';
    expect(parseList(text).value).toEqual([
      { line: 1, text: 'a.test' },
      { line: 4, text: ' #no comment' },
      { line: 5, text: 'last' },
    ]);
    expect(parseList(text).notes).toEqual([
      { line: 4, message: 'the line begins with blanks, which count as part of it' },
    ]);
  });

  it('may be empty', () => {
    expect(parseList('')).toEqual({ value: [], notes: [] });
    expect(parseList('# nothing\n \t\n')).toEqual({ value: [], notes: [] });
  });
});

describe('a pairs file', () => {
  const text = [
    'dup.test:joe-first',
    'DUP.test:joe-second',
    'colon.test:joe:colon',
    'nocolon.test',
    'exc.dom:',
    ':catch',
    '   lead.test:joe-lead',
    'trail.test:joe-trail  ',
  ].join('\n');
  const map = toPairMap(parsePairs(text).value);

  it.each([
    ['dup.test', 'joe-second'],
    ['COLON.test', 'joe:colon'],
    ['nocolon.test', undefined],
    ['exc.dom', ''],
    ['', 'catch'],
    ['lead.test', undefined],
    ['   lead.test', 'joe-lead'],
    ['trail.test', 'joe-trail'],
  ])('says for %j: %p', (key, value) => {
    expect(map.get(key)).toBe(value);
  });

  it('is worth a note for each line that does not count', () => {
    expect(parsePairs(text).notes).toEqual(
      expect.arrayContaining([
        { line: 1, message: 'overruled by line 2: the last line wins' },
        { line: 4, message: 'no colon: the line is ignored' },
        { line: 7, message: 'the line begins with blanks, which count as part of it' },
      ]),
    );
    expect(parsePairs(text).notes).toHaveLength(3);
  });
});

describe('a text file', () => {
  it('keeps all of its lines', () => {
    expect(parseText('|cmd \n./Maildir/\n\n').value).toBe('|cmd \n./Maildir/');
    expect(parseText('').value).toBe('');
  });
});

describe('keys', () => {
  it('ignore the case of A to Z only', () => {
    const set = new FoldedSet(['Demo.TEST', 'Ö.test']);
    expect(set.has('dEMO.test')).toBe(true);
    expect(set.has('ö.test')).toBe(false);
    const map = new FoldedMap([['A', 1]]);
    map.set('a', 2);
    expect([map.get('A'), map.size, map.has('a')]).toEqual([2, 1, true]);
  });
});
