import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parsePath } from '../../../src/ingress/smtp/path.ts';
import { formatPath } from '../../../src/mail/address.ts';

const parsed = (argument: string) => {
  const path = parsePath(/^from/i.test(argument) ? 'FROM' : 'TO', argument);
  return typeof path === 'string' ? path : path.address;
};

describe('the address in MAIL and RCPT', () => {
  it.each([
    ['FROM:<>', ''],
    ['from:<me@d>', 'me@d'],
    ['FROM: <me@d>', 'me@d'],
    ['TO:<"a b"@v.t>', 'a b@v.t'],
    ['TO: plain@h', 'plain@h'],
    ['TO: plain@h SIZE=3', 'plain@h'],
    ['TO:joe', 'joe'],
    ['TO:<joe>', 'joe'],
    ['TO:<esc\\>q@h>', 'esc>q@h'],
    ['TO:<"a>b"@h>', 'a>b@h'],
    ['TO:<@x.y,@z:c@h>', 'c@h'],
    ['TO:<a@b@h>', 'a@b@h'],
    ['TO:<a@"h">', 'a@h'],
    ['TO:<d@[127.0.0.1]>', 'd@[127.0.0.1]'],
    ['TO:<user%other.test@h>', 'user%other.test@h'],
    ['TO:<"user@other.test"@h>', 'user@other.test@h'],
    ['TO:<"a\\"b\\\\c"@h>', 'a"b\\c@h'],
    ['TO:<jürgen@h>', 'jürgen@h'],
  ])('of %s is %j', (argument, address) => {
    expect(parsed(argument)).toBe(address);
  });

  it.each([
    ['<me@d>'],
    ['joe'],
    ['FROM'],
    ['FROM:'],
    ['FROM me@d'],
    ['TO:<xx'],
    ['TO:<a@h>b'],
    ['TO:a<b@h>'],
    ['TO:a@h>'],
    ['TO:<"a@h>'],
    ['TO:<a@h\\>'],
    ['TO:"a b'],
    ['TO:<a b@h>'],
    ['TO:<a\tb@h>'],
    ['TO:<a\0b@h>'],
    ['TO:<a\rb@h>'],
    ['TO:<"a\rb"@h>'],
    ['TO:<a\ufffd@h>'],
    ['FROM:<@evil.com>'],
    ['FROM:<a@h> SIZE=1 size=2'],
    ['FROM:<a@h> =3'],
  ])('of %j is a mistake', (argument) => {
    expect(parsed(argument)).toBe('syntax');
  });

  it('may have 899 bytes and not one more', () => {
    const local = 'a'.repeat(897);
    expect(parsed(`TO:<${local}@h>`)).toBe(`${local}@h`);
    expect(parsed(`TO:<a${local}@h>`)).toBe('too-long');
    expect(parsed(`TO:<${'ü'.repeat(449)}@h>`)).toBe('too-long');
  });

  it('comes back from the way we write it ourselves', () => {
    const printable = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((text) => {
      return !/[\x00-\x1f\x7f\ufffd]/.test(text) && text !== '';
    });
    fc.assert(
      fc.property(printable, (local) => {
        expect(parsed(`TO:${formatPath(`${local}@h.test`)}`)).toBe(`${local}@h.test`);
      }),
    );
  });

  it('takes no more than linear time on hostile input', () => {
    const started = process.cpuUsage();
    for (const piece of ['@a,', '"', '\\', '<', ' ', '<@', 'A=1 ']) {
      parsed(`TO:<${piece.repeat(20_000)}`);
      parsed(`TO:<a@h> ${piece.repeat(20_000)}`);
    }
    expect(process.cpuUsage(started).user).toBeLessThan(5_000_000);
  });
});

describe('the parameters of MAIL', () => {
  it('are read with keys in upper case', () => {
    const path = parsePath('FROM', 'FROM:<a@h> size=12  BODY=8BITMIME SMTPUTF8');
    expect(typeof path === 'string' ? path : [...path.params]).toEqual([
      ['SIZE', '12'],
      ['BODY', '8BITMIME'],
      ['SMTPUTF8', ''],
    ]);
  });
});
