import { describe, expect, it } from '@jest/globals';
import { lastingName, tmpName } from '../../../src/delivery/local/maildir-name.ts';

const key = { message: '019aa0c5-1234-7000-8000-00000000000a', rcpt: 2, line: 1 };

describe('the name of a letter in a Maildir', () => {
  it('in tmp/ has time, process and count', () => {
    expect(tmpName(1_795_218_549_123, 77, 5, 'mx.demo.test')).toBe(
      '1795218549.M123000P77Q5.mx.demo.test',
    );
  });

  it('in new/ says which letter, recipient and line it is, and when the letter was named', () => {
    const at = Number.parseInt('019aa0c51234', 16);
    expect(lastingName(key, 'mx')).toBe(
      `${Math.floor(at / 1000)}.M${(at % 1000) * 1000}W019aa0c512347000800000000000000aR2I1.mx`,
    );
  });

  it('differs by recipient and line, and by nothing else', () => {
    expect(lastingName(key, 'mx')).toBe(lastingName({ ...key }, 'mx'));
    expect(lastingName({ ...key, rcpt: 3 }, 'mx')).not.toBe(lastingName(key, 'mx'));
    expect(lastingName({ ...key, line: 2 }, 'mx')).not.toBe(lastingName(key, 'mx'));
  });

  it('is not lasting for a letter whose name may repeat', () => {
    expect(lastingName({ ...key, message: 'm1' }, 'mx')).toBeUndefined();
  });

  it.each([
    ['a/b:c', 'a\\057b\\072c'],
    ['', 'localhost'],
    ['a b\n', 'a_b_'],
    ['h'.repeat(70), 'h'.repeat(63)],
  ])('takes the host %p as %p', (host, part) => {
    expect(tmpName(0, 1, 1, host)).toBe(`0.M0P1Q1.${part}`);
  });
});
