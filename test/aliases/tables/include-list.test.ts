import { describe, expect, it } from '@jest/globals';
import { compileInclude } from '../../../src/aliases/tables/include-list.ts';
import { compileAliases } from '../../../src/aliases/tables/sendmail-aliases.ts';

const hosts = { defaultHost: 'dh.org', defaultDomain: 'dd', plusDomain: 'pd' };
const compile = (text: string) => [...compileInclude(text, hosts)].join('').replaceAll('\0', '¦');

describe('in an include list', () => {
  it.each([
    ['joe, ann@y\n', '&ann@y.dd¦&joe@dh.org¦'],
    ['joe\nann@y', '&joe@dh.org¦&ann@y.dd¦'],
    ['# joe\n ann\n', '&ann@dh.org¦'],
    [':include:/p\n', '/p¦'],
    [':include:p\n', './p¦'],
    [':include:./p.bin, x+\n', '&x+@dh.org¦./p.bin¦'],
    ['Joe Doe <joe@h+> (him)\n', '&joe@h.pd¦'],
    ['<>\n""\n', ''],
  ])('%j becomes %j', (text, items) => {
    expect(compile(text)).toBe(items);
  });

  it.each([
    ['"|prog x"', 'program delivery |prog x not supported'],
    ['/var/mail/x', 'file delivery /var/mail/x not supported'],
    [':include:""', 'empty :include: filenames not permitted'],
    ['x@y.z." "', 'spaces and tabs not permitted at ends of addresses'],
    ['"x\0"@y', 'NUL not permitted in recipient addresses'],
    ['x\\\ny', 'newlines not permitted in recipient addresses'],
    [`${'x'.repeat(794)}@dh.org`, 'addresses must be under 800 bytes'],
    ['"never closed', 'unable to parse this line: "never closed'],
  ])('%j is a mistake', (line, message) => {
    expect(() => compile(`joe\n${line}\n`)).toThrow(message);
  });

  it('the name of an inner list is taken as it is, while /etc/aliases appends .bin', () => {
    const [record] = compileAliases('a: :include:/p\n', hosts);
    expect([compile(':include:/p\n'), record?.[1]]).toEqual(['/p¦', '/p.bin\0']);
  });
});
