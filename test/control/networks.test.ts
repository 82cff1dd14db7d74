import { describe, expect, it } from '@jest/globals';
import { isWithin, parseNetwork } from '../../src/control/networks.ts';

describe('a network', () => {
  it.each([
    ['192.0.2.7', { ip: '192.0.2.7', prefix: 32 }],
    ['10.0.0.0/8', { ip: '10.0.0.0', prefix: 8 }],
    ['0.0.0.0/0', { ip: '0.0.0.0', prefix: 0 }],
    ['2001:DB8::/32', { ip: '2001:db8::', prefix: 32 }],
    ['::1', { ip: '::1', prefix: 128 }],
    ['', undefined],
    ['10.0.0.0/33', undefined],
    ['10.0.0.0/', undefined],
    ['10.0.0.0/8/8', undefined],
    ['10.', undefined],
    ['host.example.org', undefined],
  ])('%j is %j', (text, network) => {
    expect(parseNetwork(text)).toEqual(network);
  });

  it('holds its own addresses and no others', () => {
    const among = isWithin(
      ['10.1.0.0/16', '192.0.2.7', '2001:db8::/32'].map((text) => parseNetwork(text)!),
    );
    const asked = [
      '10.1.255.255',
      '10.2.0.0',
      '192.0.2.7',
      '192.0.2.8',
      '2001:db8:1::',
      '2001:db9::',
      '::1',
    ];
    expect(asked.map(among)).toEqual([true, false, true, false, true, false, false]);
    expect(isWithin([])('127.0.0.1')).toBe(false);
  });
});
