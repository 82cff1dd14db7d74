import { describe, expect, it } from '@jest/globals';
import { compileMailList, formatMailList } from '../../../src/aliases/tables/list-file.ts';

const compile = (text: string) => [...compileMailList(text)].join('');

describe('a list file', () => {
  it('has an item for each line that says something', () => {
    expect(Buffer.from(compile('joe@x.org\n&ann@x.org\n# c\n\n./b.bin  \n')).toString('hex')).toBe(
      '266a6f6540782e6f726700' + '26616e6e40782e6f726700' + '2e2f622e62696e00',
    );
  });

  it.each([
    [' a\n', '& a\0'],
    ['a', '&a\0'],
    ['|x\n&&b\n\t\n/l', '&|x\0&&b\0/l\0'],
    [`&${'x'.repeat(799)}\n`, `&${'x'.repeat(799)}\0`],
  ])('of %j is %j', (text, list) => {
    expect(compile(text)).toBe(list);
    expect(compile([...formatMailList(list)].join(''))).toBe(list);
  });

  it.each([
    ['a\0b\n', 'NUL in input'],
    [`x${'x'.repeat(800)}\n`, 'addresses must be under 800 bytes'],
  ])('cannot be made of %j', (text, message) => {
    expect(() => compile(text)).toThrow(expect.objectContaining({ message, never: false }));
  });

  it.each([['&a'], ['xa\0'], ['\0'], ['&a\nb\0']])('is not %j', (list) => {
    expect(() => [...formatMailList(list)]).toThrow(
      expect.objectContaining({ message: 'bad mailing list format', never: true }),
    );
  });
});
