/** What DNS says now and what it may say later are never confused: a letter fails only when every name is known to be nothing. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { findHosts } from '../../src/delivery/remote/hosts.ts';
import { scriptedDns, type Zone } from '../../src/platform/dns-scripted.ts';

type Known = 'temporary' | 'none' | 'found';

const known = fc.constantFrom<Known>('temporary', 'none', 'found');
const domain = fc.record({
  mx: known,
  own: known,
  /** Of each exchanger: what is known of its address. */
  exchangers: fc.array(known, { minLength: 1, maxLength: 5 }),
});
type Domain = typeof domain extends fc.Arbitrary<infer T> ? T : never;

const addresses = (what: Known, address: string) =>
  what === 'none' ? {} : { addresses: what === 'temporary' ? what : [address] };

function zoneOf({ mx, own, exchangers }: Domain): Zone {
  const names = exchangers.map((_, n) => [10 * n, `mx${n}.test`] as const);
  const told = mx === 'none' ? {} : { mx: mx === 'temporary' ? mx : names };
  const hosts = exchangers.map((what, n) => [`mx${n}.test`, addresses(what, `192.0.2.${n}`)]);
  return {
    'b.test': { ...told, ...addresses(own, '192.0.2.99') },
    ...(Object.fromEntries(hosts) as Zone),
  };
}

/** The rule in words: who is found is used; else who may yet be found is waited for; else it is over. */
function wanted({ mx, own, exchangers }: Domain): 'found' | 'deferred' | 'failed' {
  if (mx === 'temporary') return 'deferred';
  const asked = mx === 'none' ? [own] : exchangers;
  if (asked.includes('found')) return 'found';
  return asked.includes('temporary') ? 'deferred' : 'failed';
}

async function look(zone: Zone) {
  const dns = scriptedDns(zone);
  const ownAddresses = () => new Set(['203.0.113.1']);
  const parts = { dns, random: () => 0, listenPorts: [25], ownAddresses };
  const { kind } = await findHosts({ host: 'b.test' }, parts);
  return { kind, asked: dns.asked };
}

describe('a domain', () => {
  it('whose names are known, unknown for now, or nothing, in any mixture, is judged by all of them', async () => {
    await fc.assert(
      fc.asyncProperty(domain, async (known) => {
        expect((await look(zoneOf(known))).kind).toBe(wanted(known));
      }),
      { numRuns: 600 },
    );
  });

  it('with 512 exchangers is asked about twenty of them, and waits where those are nothing', async () => {
    const names = Array.from({ length: 512 }, (_, n) => [n, `mx${n}.test`] as const);
    const last = { 'mx511.test': { addresses: ['192.0.2.1'] } };
    const { kind, asked } = await look({ 'b.test': { mx: names }, ...last });
    expect([kind, asked.length]).toEqual(['deferred', 21]);
  });
});
