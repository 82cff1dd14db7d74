import { describe, expect, it } from '@jest/globals';
import { ownAddresses } from '../../../src/delivery/remote/own-addresses.ts';
import { normalizeIp } from '../../../src/mail/ip-address.ts';

describe('our own addresses', () => {
  it('are those of the interfaces and the two that mean this machine, in one spelling', () => {
    const own = [...ownAddresses()];
    expect(own).toEqual(expect.arrayContaining(['0.0.0.0', '::', '127.0.0.1']));
    expect(own.map((address) => normalizeIp(address))).toEqual(own);
  });
});
