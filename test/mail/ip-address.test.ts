import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ipv6Groups, normalizeIp } from '../../src/mail/ip-address.ts';

describe('an IP address', () => {
  it.each([
    ['1.2.3.4', '1.2.3.4'],
    ['[1.2.3.4]', '1.2.3.4'],
    ['::1', '::1'],
    ['[::1]', '::1'],
    ['[IPv6:::1]', '::1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['::', '::'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['1::', '1::'],
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['::ffff:7f00:1', '127.0.0.1'],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
    ['fe80::1%eth0', 'fe80::1'],
    ['1.2.3', undefined],
    ['1.2.3.256', undefined],
    ['01.2.3.4', undefined],
    ['1.2.3.4.', undefined],
    ['mail.demo.test', undefined],
    ['', undefined],
    ['[]', undefined],
    [':', undefined],
    [':::', undefined],
    ['1::2::3', undefined],
    ['1:2:3:4:5:6:7', undefined],
    ['1:2:3:4:5:6:7:8:9', undefined],
    ['1:2:3:4:5:6:7::8', undefined],
    ['12345::', undefined],
    ['::1.2.3.4.5', undefined],
    [':1:2:3:4:5:6:7', undefined],
  ])('%j is %j', (text, address) => {
    expect(normalizeIp(text)).toBe(address);
  });

  it('has one spelling for all that mean the same', () => {
    const groups = fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), {
      minLength: 8,
      maxLength: 8,
    });
    fc.assert(
      fc.property(groups, (numbers) => {
        const long = numbers.map((n) => n.toString(16).padStart(4, '0').toUpperCase()).join(':');
        const short = normalizeIp(long) ?? '';
        expect(normalizeIp(short)).toBe(short);
        if (short.includes(':')) expect(ipv6Groups(short)).toEqual(numbers);
      }),
    );
  });
});
