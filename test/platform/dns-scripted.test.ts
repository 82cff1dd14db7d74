import { describe, expect, it } from '@jest/globals';
import { scriptedDns } from '../../src/platform/dns-scripted.ts';

describe('a scripted domain name system', () => {
  const zone = {
    'b.test': { mx: [[10, 'mx.b.test']] as const, addresses: 'temporary' as const },
    'mx.b.test': { addresses: ['192.0.2.1'] },
  };

  it('answers from its table, whatever the case and the final dot', async () => {
    const dns = scriptedDns(zone);
    expect(await dns.mx('B.Test.')).toEqual({
      kind: 'found',
      values: [{ preference: 10, host: 'mx.b.test' }],
    });
    expect(await dns.addresses('mx.b.test')).toEqual({ kind: 'found', values: ['192.0.2.1'] });
    expect(dns.asked).toEqual(['MX B.Test.', 'A mx.b.test']);
  });

  it('tells a firm no from no answer', async () => {
    const dns = scriptedDns(zone);
    expect(await dns.addresses('b.test')).toEqual({ kind: 'temporary', reason: 'ETIMEOUT' });
    expect(await dns.mx('mx.b.test')).toEqual({ kind: 'none' });
    expect(await dns.mx('gone.test')).toEqual({ kind: 'none' });
  });
});
