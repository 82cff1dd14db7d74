import { describe, expect, it } from '@jest/globals';
import { compileAliases } from '../../../src/aliases/tables/sendmail-aliases.ts';

const hosts = { defaultHost: 'dh', defaultDomain: 'dd', plusDomain: 'pd' };

/** Records with their NULs as `|`, which no address here has. */
const compile = (text: string, completing = hosts): readonly string[] =>
  [...compileAliases(text, completing)].map(
    ([key, data]) => `${key} ${data.replaceAll('\0', '¦')}`,
  );

/** As the specification writes them: the default host is complete. */
const full = { defaultHost: 'dh.org', defaultDomain: 'dd', plusDomain: 'pd' };

describe('in /etc/aliases the line', () => {
  it.each([
    ['# comment', []],
    ['postmaster: joe, ann@y', [':postmaster@ &ann@y.dd¦&joe@dh.org¦']],
    ['staff: :include:/etc/staff', [':staff@ /etc/staff.bin¦']],
    ['owner-staff: joe', ['?staff@ owner-staff@dh.org', ':owner-staff@ &joe@dh.org¦']],
    ['@old.org: joe', [':@old.org &joe@dh.org¦']],
    ['dump: "|/bin/cat >> /var/x"', [':dump@ !/bin/cat >> /var/x¦']],
    ['joe: x', [':joe@ &x@dh.org¦']],
    ['joe@x.org: x', [':joe@x.org &x@dh.org¦']],
    ['joe@host: x', [':joe@host &x@dh.org¦']],
    ['owner-list@x.org: x', ['?list@x.org owner-list@x.org', ':owner-list@x.org &x@dh.org¦']],
    ['a: Name <a@b>', [':a@ &a@b.dd¦']],
    ['a: : include : "/with blanks"', [':a@ /with blanks.bin¦']],
    ['a: :include:rel', [':a@ ./rel.bin¦']],
    ['a: b+', [':a@ &b+@dh.org¦']],
    ['a: b@h+', [':a@ &b@h.pd¦']],
    ['a: b@[1.2.3.4], c@[IPv6:::1]', [':a@ &c@[IPv6:::1]¦&b@[1.2.3.4]¦']],
    ['a b c', [':a@ &c@dh.org¦&b@dh.org¦']],
    ['a: (a (nested) comment) \\joe, ,x,', [':a@ &x@dh.org¦&joe@dh.org¦']],
    ['a: <@r:u@h>', [':a@ &@r:u@h.dd¦']],
    ['A@X.Y: Joe@Bar.Q', [':a@x.y &Joe@Bar.Q¦']],
    ['a: x :include:f y', [':a@ ./f.bin¦&y@dh.org¦&x@dh.org¦']],
    ['"|x": c', [':c@ !x¦']],
  ])('%s', (line, records) => {
    expect(compile(`${line}\n`, full)).toEqual(records);
  });

  it.each([
    ['joe:', 'unable to parse this line: joe:'],
    [': joe', 'unable to parse this line: : joe'],
    ['a: "open', 'unable to parse this line: a: "open'],
    ['a: (open', 'unable to parse this line'],
    ['a: b>', 'unable to parse this line'],
    ['a: )', 'unable to parse this line'],
    ['a: ]', 'unable to parse this line'],
    ['a: /var/mail/a', 'file delivery /var/mail/a not supported'],
    ['a: <>', 'empty recipient addresses not permitted'],
    ['a: :include:', 'empty :include: filenames not permitted'],
    ['a: "b\0c"', 'NUL not permitted in recipient addresses'],
    ['a: "|b\0c"', 'NUL not permitted in program names'],
  ])('%j is a mistake: %s', (line, message) => {
    expect(() => compile(`ok: x\n${line}\n`)).toThrow(message);
  });

  it('may hold an address of 800 bytes, and no longer one, as target or as alias', () => {
    const fits = `${'x'.repeat(795)}@y.zz`;
    expect(compile(`a: ${fits}\n${fits}: a\n`)).toHaveLength(2);
    for (const line of [`a: x${fits}\n`, `x${fits}: a\n`]) {
      expect(() => compile(line)).toThrow(expect.objectContaining({ never: true }));
    }
  });
});

describe('lines of /etc/aliases', () => {
  it.each([
    ['go on behind a blank', 'a: b,\n  c\n\td\n', [':a@ &d@dh.dd¦&c@dh.dd¦&b@dh.dd¦']],
    ['go on behind an empty line', 'a: b\n\n c\n', [':a@ &c@dh.dd¦&b@dh.dd¦']],
    ['are comments with what goes on behind them', '#a: b\n c: d\ne: f\n', [':e@ &f@dh.dd¦']],
    ['need no line end at the end', 'a: b\nc: d', [':a@ &b@dh.dd¦', ':c@ &d@dh.dd¦']],
    [
      'for one alias are all kept, the first in front',
      'a: b\nA: c\n',
      [':a@ &b@dh.dd¦', ':a@ &c@dh.dd¦'],
    ],
    ['may hold nothing but a comment', '(nothing)\n \n', []],
  ])('%s', (_, text, records) => {
    expect(compile(text)).toEqual(records);
  });
});
