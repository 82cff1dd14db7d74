import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  compileForwardSource,
  formatForwardSource,
} from '../../../src/aliases/tables/forward-source.ts';

const compile = (source: string) => [...compileForwardSource(source)];
const shown = (source: string) =>
  compile(source).map(([key, data]) => `${key} ${data.replaceAll('\0', '¦')}`);

describe('the source of a forwarding table', () => {
  it.each([
    ['a@b: c;', [':a@b &c¦']],
    ['A@B: &C@D;', [':a@b &C@D¦']],
    ['a: ?o, c, ?p;', ['?a o', '?a p', ':a &c¦']],
    ['a: ?o;', ['?a o']],
    ['a:;', []],
    ['a: |prog\\ x, !prog, /l.bin, ./l;', [':a |prog x¦!prog¦/l.bin¦./l¦']],
    ['a: b,,c, ;', [':a &b¦&c¦']],
    ['# first: x;\na: b#c\n, d;', [':a &b¦&d¦']],
    ['a: b\\,\\;\\:\\#\\\\\\\nc;', [':a &b,;:#\\\nc¦']],
    ['a: \\&b, \\?o;', ['?a o', ':a &b¦']],
    ['@host: x; user@: y; : z;', [':@host &x¦', ':user@ &y¦', ': &z¦']],
    ['a: b; a: c;', [':a &b¦', ':a &c¦']],
  ])('%j has the records %j', (source, records) => {
    expect(shown(source)).toEqual(records);
  });

  it.each([
    ['a: b', 'final instruction must end with semicolon'],
    ['a: b; c', 'final instruction must end with semicolon'],
    ['a: b: c;', 'double colons are not permitted'],
    ['a, b: c;', 'commas are not permitted before colons'],
    ['a;', 'commas are not permitted before colons'],
    ['a: b\0;', 'NUL bytes are not permitted'],
    ['a: b\\\0;', 'NUL bytes are not permitted'],
    [`a: ${'x'.repeat(801)};`, 'addresses over 800 bytes are not permitted'],
    [`a: &${'x'.repeat(800)};`, 'addresses over 800 bytes are not permitted'],
  ])('%j is a mistake', (source, message) => {
    expect(() => compile(source)).toThrow(expect.objectContaining({ message, never: true }));
  });

  it('has no limit for programs and lists, and an address of 800 bytes fits', () => {
    expect(
      compile(`a: ${'x'.repeat(800)}, |${'p'.repeat(2000)}, ./${'l'.repeat(900)};`),
    ).toHaveLength(1);
  });
});

describe('the records of a forwarding table', () => {
  it('are printed in their order, with a backslash before what would mean something', () => {
    const records = compile(
      'root@yp.to: ?owner@yp.to, god@heaven.af.mil, |echo\\ hi, /var/lists/a.bin;',
    );
    expect([...formatForwardSource(records)].join('')).toBe(
      'root@yp.to: ?owner@yp.to;\nroot@yp.to:\n, &god@heaven.af.mil\n, |echo\\ hi\n, /var/lists/a.bin\n;\n',
    );
  });

  it.each([
    [['x', '&a\0']],
    [['', '&a\0']],
    [[':x', 'a\0']],
    [[':x', '&a']],
    [[':x', '&a\0\0']],
  ] as const)('%j are none', (record) => {
    expect(() => [...formatForwardSource([record])]).toThrow('bad database format');
  });

  it('come back from what is printed as they were', () => {
    const text = fc.string({
      unit: fc.integer({ min: 1, max: 255 }).map((c) => String.fromCharCode(c)),
      maxLength: 12,
    });
    const item = fc
      .tuple(fc.constantFrom('&', '|', '!', '/', './'), text)
      .map((parts) => `${parts.join('')}\0`);
    const target = text.map((name) => name.replace(/[A-Z]/g, 'z'));
    const record = fc.oneof(
      fc.tuple(target, text).map(([name, owner]) => [`?${name}`, owner] as const),
      fc
        .tuple(target, fc.array(item, { minLength: 1, maxLength: 4 }))
        .map(([name, items]) => [`:${name}`, items.join('')] as const),
    );
    fc.assert(
      fc.property(fc.array(record, { maxLength: 6 }), (records) => {
        expect(compile([...formatForwardSource(records)].join(''))).toEqual(records);
      }),
    );
  });
});
