import { describe, expect, it } from '@jest/globals';
import { bodyOffset, headerValue } from '../../src/mail/header.ts';

const encode = (text: string) => new TextEncoder().encode(text);

describe.each([
  ['CRLF', '\r\n'],
  ['LF', '\n'],
])('a header with %s line ends', (_, end) => {
  const letter = (...lines: string[]) => encode(lines.join(end));

  it('ends at the first empty line', () => {
    const bytes = letter('Subject: x', '', 'body', '', 'more');
    expect(new TextDecoder().decode(bytes.subarray(bodyOffset(bytes)))).toBe(
      `body${end}${end}more`,
    );
  });

  it('is not over before that line is complete', () => {
    expect(bodyOffset(letter('Subject: x', ''))).toBeUndefined();
    expect(bodyOffset(letter('Subject: x'))).toBeUndefined();
    expect(bodyOffset(letter(''))).toBeUndefined();
    expect(bodyOffset(letter('', ''))).toBe(end.length);
  });

  it('gives the first value of a field, unfolded, whatever the case of its name', () => {
    const bytes = letter('to: a@b,', '\tc@d', 'SUBJECT : Hi', 'Subject: second', '', 'Cc: body');
    expect(headerValue(bytes, 'Subject')).toBe('Hi');
    expect(headerValue(bytes, 'To')).toBe('a@b,\tc@d');
    expect(headerValue(bytes, 'Cc')).toBeUndefined();
    expect(headerValue(bytes, 'Sub')).toBeUndefined();
  });

  it('gives an empty value and one at the very end', () => {
    expect(headerValue(letter('Subject:', ''), 'Subject')).toBe('');
    expect(headerValue(letter('A: b', 'Subject: last'), 'Subject')).toBe('last');
    expect(headerValue(letter('Subject'), 'Subject')).toBeUndefined();
  });
});

describe('a header of a stranger', () => {
  it('may hold anything but a line end in a value', () => {
    const value = headerValue(encode('Subject: a\rb\r\n c\xff\0d\r\n\r\n'), 'Subject');
    expect(value).toBe('ab c\u00ff\0d');
    const bytes = Uint8Array.of(...encode('Subject: '), 0xff, 10, 10);
    expect(headerValue(bytes, 'Subject')).toBe('\ufffd');
  });
});
