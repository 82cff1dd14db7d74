import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { HostParts } from '../../../src/delivery/remote/hosts.ts';
import { byPreference, findHosts, literalAddress } from '../../../src/delivery/remote/hosts.ts';
import type { Zone } from '../../../src/platform/dns-scripted.ts';
import { scriptedDns } from '../../../src/platform/dns-scripted.ts';

const zone: Zone = {
  'b.test': {
    mx: [
      [30, 'c.mx.test'],
      [10, 'a.mx.test'],
      [20, 'b.mx.test'],
    ],
  },
  'a.mx.test': { addresses: ['192.0.2.1', '192.0.2.2', '2001:db8::1'] },
  'b.mx.test': { addresses: ['192.0.2.20'] },
  'c.mx.test': { addresses: ['192.0.2.30'] },
  'plain.test': { addresses: ['192.0.2.40'] },
  'null.test': { mx: [[0, '']] },
  'dot.test': { mx: [[0, '.']] },
  'half-null.test': {
    mx: [
      [0, ''],
      [10, 'c.mx.test'],
    ],
  },
  'mute.test': { mx: 'temporary' },
  'mute-a.test': { addresses: 'temporary' },
  'nowhere.test': { mx: [[10, 'gone.mx.test']] },
  'shaky.test': {
    mx: [
      [10, 'gone.mx.test'],
      [20, 'mute.mx.test'],
    ],
  },
  'mute.mx.test': { addresses: 'temporary' },
  'patchy.test': {
    mx: [
      [10, 'mute.mx.test'],
      [20, 'gone.mx.test'],
      [30, 'c.mx.test'],
    ],
  },
  'wide.test': { mx: Array.from({ length: 200 }, (_, n) => [n, `${n}.mx.test`] as const) },
};

const parts = (over: Partial<HostParts> = {}): HostParts => ({
  dns: scriptedDns(zone),
  random: () => 0,
  ownAddresses: () => new Set(['0.0.0.0', '::', '192.0.2.20']),
  listenPorts: [2525],
  ...over,
});

async function addresses(hop: Parameters<typeof findHosts>[0], over: Partial<HostParts> = {}) {
  const found = await findHosts(hop, parts(over));
  return found.kind === 'found'
    ? found.targets.map(({ address, port }) => `${address} ${port}`)
    : `${found.kind}: ${found.text}`;
}

describe('the addresses for a domain', () => {
  it('are those of its exchangers, lowest preference first, all addresses of each', async () => {
    expect(await addresses({ host: 'b.test' })).toEqual([
      '192.0.2.1 25',
      '192.0.2.2 25',
      '2001:db8::1 25',
      '192.0.2.20 25',
      '192.0.2.30 25',
    ]);
  });

  it('name the exchanger they belong to', async () => {
    const found = await findHosts({ host: 'b.test' }, parts());
    expect(found.kind === 'found' && found.targets[0]).toEqual({
      host: 'a.mx.test',
      address: '192.0.2.1',
      port: 25,
    });
  });

  it.each([
    ['without an MX are its own', 'plain.test', ['192.0.2.40 25']],
    ['pass by an exchanger that cannot be looked up now', 'patchy.test', ['192.0.2.30 25']],
    ['heed the other exchangers beside a null MX', 'half-null.test', ['192.0.2.30 25']],
    ['are the literal', '[192.0.2.7]', ['192.0.2.7 25']],
    ['are the bare literal', '192.0.2.7', ['192.0.2.7 25']],
    ['are the IPv6 literal', '[IPv6:2001:DB8:0::5]', ['2001:db8::5 25']],
  ])('%s', async (_, host, expected) => {
    expect(await addresses({ host })).toEqual(expected);
  });

  it.each([
    ['mute.test', "deferred: Sorry, I couldn't find any host by that name. (#4.1.2)\n"],
    ['mute-a.test', "deferred: Sorry, I couldn't find any host by that name. (#4.1.2)\n"],
    ['shaky.test', "deferred: Sorry, I couldn't find any host by that name. (#4.1.2)\n"],
    ['gone.test', "failed: Sorry, I couldn't find any host named gone.test. (#5.1.2)\n"],
    ['g\u00f6 %\x7f', "failed: Sorry, I couldn't find any host named g???%?. (#5.1.2)\n"],
    [
      '[not.an.address]',
      "failed: Sorry, I couldn't find any host named [not.an.address]. (#5.1.2)\n",
    ],
    ['nowhere.test', "failed: Sorry, I couldn't find a mail exchanger or IP address. (#5.4.4)\n"],
    [
      'null.test',
      'failed: Sorry, null.test says in its MX record that it accepts no mail. (#5.1.10)\n',
    ],
    [
      'dot.test',
      'failed: Sorry, dot.test says in its MX record that it accepts no mail. (#5.1.10)\n',
    ],
    ['', 'failed: Sorry, address must include host name. (#5.1.3)\n'],
  ])('of %j are none', async (host, expected) => {
    expect(await addresses({ host })).toBe(expected);
  });

  it('are not looked up without end', async () => {
    const dns = scriptedDns(zone);
    await addresses({ host: 'wide.test' }, { dns });
    expect(dns.asked.filter((question) => question.startsWith('A '))).toHaveLength(20);
  });
});

describe('a host that is ourselves', () => {
  const listening = { listenPorts: [25] };
  const ambiguous =
    "failed: Sorry. Although I'm listed as a best-preference MX or A for that host,\n" +
    "it isn't in my control/locals file, so I don't treat it as local. (#5.4.6)\n";

  it('leaves only the exchangers before it', async () => {
    expect(await addresses({ host: 'b.test' }, listening)).toEqual([
      '192.0.2.1 25',
      '192.0.2.2 25',
      '2001:db8::1 25',
    ]);
  });

  it.each([
    ['as best exchanger', 'b.test', ['192.0.2.2']],
    ['by its own address', 'plain.test', ['192.0.2.40']],
    ['as a literal', '[0.0.0.0]', ['0.0.0.0']],
    ['as an IPv4 address written in IPv6', '[IPv6:::ffff:192.0.2.7]', ['192.0.2.7']],
  ])('fails %s', async (_, host, own) => {
    expect(await addresses({ host }, { ...listening, ownAddresses: () => new Set(own) })).toBe(
      ambiguous,
    );
  });

  it('is no loop when we do not listen there', async () => {
    expect(await addresses({ host: '192.0.2.20' }, { listenPorts: [2525] })).toEqual([
      '192.0.2.20 25',
    ]);
  });
});

describe('a route', () => {
  it.each([
    ['a name, whose MX is not asked', 'plain.test', ['192.0.2.40 2525']],
    ['a literal', '[192.0.2.20]', ['192.0.2.20 2525']],
    ['a bare literal', '192.0.2.20', ['192.0.2.20 2525']],
  ])('leads to %s', async (_, relay, expected) => {
    const dns = scriptedDns(zone);
    const hop = { host: 'b.test', relay: { host: relay, port: 2525 } };
    expect(await addresses(hop, { dns, listenPorts: [2525] })).toEqual(expected);
    expect(dns.asked.filter((question) => question.startsWith('MX'))).toEqual([]);
  });

  it('to a name without addresses fails by the name of the relay', async () => {
    const hop = { host: 'b.test', relay: { host: 'gone.test', port: 25 } };
    expect(await addresses(hop)).toBe(
      "failed: Sorry, I couldn't find any host named gone.test. (#5.1.2)\n",
    );
  });
});

describe('exchangers of equal preference', () => {
  const records = ['a', 'b', 'c', 'd'].map((host) => ({ preference: 10, host }));

  it('come in an order that chance decides', () => {
    const orders = new Set(
      [0, 0.3, 0.6, 0.99].map((draw) =>
        byPreference(records, () => draw)
          .map(({ host }) => host)
          .join(''),
      ),
    );
    expect(orders.size).toBe(4);
  });

  it('never overtake a lower one', () => {
    const record = fc.record({ preference: fc.nat(3), host: fc.constantFrom('a', 'b', 'c') });
    fc.assert(
      fc.property(fc.array(record), fc.double({ min: 0, max: 0.999, noNaN: true }), (mx, draw) => {
        const sorted = byPreference(mx, () => draw);
        expect(sorted.map((r) => r.preference)).toEqual(
          mx.map((r) => r.preference).sort((a, b) => a - b),
        );
        expect([...sorted].sort(compare)).toEqual([...mx].sort(compare));
      }),
    );
  });
});

const compare = (a: { host: string; preference: number }, b: typeof a) =>
  a.preference - b.preference || a.host.localeCompare(b.host);

it('a name is no literal', () => {
  expect(literalAddress('b.test')).toBeUndefined();
  expect(literalAddress('::1')).toBeUndefined();
});
