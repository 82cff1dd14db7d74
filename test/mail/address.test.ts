import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  asciiLower,
  domainOf,
  formatDeliveredTo,
  formatHeaderAddress,
  formatPath,
  formatReturnPath,
  quoteLocal,
  splitAddress,
  unsendable,
} from '../../src/mail/address.ts';

describe('an address', () => {
  it.each([
    ['joe@b.test', 'joe', 'b.test'],
    ['a@b@h', 'a@b', 'h'],
    ['@special.test', '', 'special.test'],
    ['a@', 'a', ''],
    ['nohost', 'nohost', undefined],
    ['', '', undefined],
    ['#@[]', '#', '[]'],
  ])('%j splits at its last @ into %j and %j', (address, local, domain) => {
    expect(splitAddress(address)).toEqual({ local, domain });
  });

  it('has a domain whose case does not matter, and a local part whose case stays', () => {
    expect(domainOf('Joe@B.Test')).toBe('b.test');
    expect(splitAddress('Joe@B.Test').local).toBe('Joe');
    expect(domainOf('nohost')).toBe('');
  });

  it('folds the case of A to Z only', () => {
    expect(asciiLower('ÄÖ-ABC-\u0130\u212a')).toBe('ÄÖ-abc-\u0130\u212a');
  });
});

describe('an address on the wire', () => {
  it.each([
    ['joe@b.test', '<joe@b.test>'],
    ['', '<>'],
    ['we ird"x\\@x', '<"we ird\\"x\\\\"@x>'],
    ['a..b@x', '<"a..b"@x>'],
    ['.a@x', '<".a"@x>'],
    ['a.@x', '<"a."@x>'],
    ['@x', '<""@x>'],
    ['ü@x', '<"ü"@x>'],
    ['nohost', '<nohost>'],
    ['#@[]', '<#@[]>'],
    ['a b@v.t', '<"a b"@v.t>'],
    ['a@b@h', '<"a@b"@h>'],
    ["!#$%&'*+-/=?^_`{|}~.x@h", "<!#$%&'*+-/=?^_`{|}~.x@h>"],
    ['joe-list-owner-r=d@h.x.y.z', '<joe-list-owner-r=d@h.x.y.z>'],
  ])('%j is spelled %s', (address, path) => {
    expect(formatPath(address)).toBe(path);
  });

  it('quotes CR and LF, but is not for sending then', () => {
    expect(quoteLocal('a\r\nb')).toBe('"a\\\r\\\nb"');
    expect(unsendable('a\r\nRCPT TO:<b@c>@h')).toBe(true);
    expect(unsendable('a\0@h')).toBe(true);
    expect(unsendable('a b@h')).toBe(false);
  });

  it('reads back as the same local part, whatever is in it', () => {
    const unquote = (text: string) =>
      text.startsWith('"') ? text.slice(1, -1).replace(/\\([^])/g, '$1') : text;
    fc.assert(
      fc.property(fc.string(), (local) => {
        expect(unquote(quoteLocal(local))).toBe(local);
      }),
    );
  });
});

describe('an address in a header', () => {
  it('never breaks its line', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('\r', '\n', '\0', '@', 'a', '"') }), (text) => {
        const lines = formatReturnPath(text) + formatDeliveredTo(text) + formatHeaderAddress(text);
        expect(lines).not.toMatch(/[\r\n\0]/);
      }),
    );
  });

  it('is quoted in Return-Path and bare in Delivered-To', () => {
    expect(formatReturnPath('s p\tx@y')).toBe('Return-Path: <"s p\tx"@y>');
    expect(formatReturnPath('')).toBe('Return-Path: <>');
    expect(formatDeliveredTo('a b@y')).toBe('Delivered-To: a b@y');
    expect(formatDeliveredTo('a\nb@y')).toBe('Delivered-To: a_b@y');
  });
});
