import { describe, expect, it } from '@jest/globals';
import { bodyOffset } from '../../src/mail/header.ts';

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
});
