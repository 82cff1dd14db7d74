import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../src/platform/clock.ts';
import { systemDns } from '../../src/platform/dns-system.ts';
import type { DnsServer } from '../support/dns-server.ts';
import { dnsServer } from '../support/dns-server.ts';

const many = Array.from({ length: 60 }, (_, n) => [10, `mx${n}.many.test`] as const);
let server: DnsServer;

beforeAll(async () => {
  server = await dnsServer({
    'b.test': {
      mx: [
        [20, 'mx2.b.test'],
        [10, 'mx1.b.test'],
      ],
    },
    'null.test': { mx: [[0, '.']] },
    'many.test': { mx: many },
    'mx1.b.test': { a: ['192.0.2.1', '192.0.2.2'], aaaa: ['2001:db8::1'] },
    'only4.test': { a: ['192.0.2.4'] },
    'ill.test': { trouble: 'servfail' },
    'grim.test': { trouble: 'refused' },
    'mute.test': { trouble: 'silence' },
    'xn--mller-kva.test': { a: ['192.0.2.9'] },
  });
});
afterEach(() => void (server.asked.length = 0));
afterAll(() => server.close());

const dns = (limitMs = 5_000) => systemDns({ servers: [server.address], limitMs });

describe("the machine's resolver", () => {
  it('finds mail exchangers in answer order', async () => {
    expect(await dns().mx('b.test')).toEqual({
      kind: 'found',
      values: [
        { preference: 20, host: 'mx2.b.test' },
        { preference: 10, host: 'mx1.b.test' },
      ],
    });
  });

  it('reads a null MX as an exchanger without a name', async () => {
    expect(await dns().mx('null.test')).toEqual({
      kind: 'found',
      values: [{ preference: 0, host: '' }],
    });
  });

  it('finds IPv4 before IPv6', async () => {
    expect(await dns().addresses('mx1.b.test')).toEqual({
      kind: 'found',
      values: ['192.0.2.1', '192.0.2.2', '2001:db8::1'],
    });
  });

  it('is content with one family', async () => {
    expect(await dns().addresses('only4.test')).toEqual({ kind: 'found', values: ['192.0.2.4'] });
  });

  it('asks again over TCP when the answer is too long for UDP', async () => {
    const answer = await dns().mx('many.test');
    expect(answer.kind === 'found' ? answer.values : []).toHaveLength(60);
    expect(server.asked).toContain('TCP MX many.test');
  });

  it.each([
    ['a name that does not exist', 'gone.test'],
    ['a name without addresses', 'b.test'],
    ['a label of more than 63 characters', `${'x'.repeat(64)}.test`],
    ['an empty label', 'a..b.test'],
    ['an empty name', ''],
  ])('says no to %s', async (_, name) => {
    expect(await dns().addresses(name)).toEqual({ kind: 'none' });
  });

  it.each(['only4.test\0.evil.test', 'only4\\.test', 'only4.test evil', '[192.0.2.4]'])(
    'asks nobody about %j, which is no name',
    async (name) => {
      expect(await dns().addresses(name)).toEqual({ kind: 'none' });
      expect(await dns().mx(name)).toEqual({ kind: 'none' });
      expect(server.asked).toEqual([]);
    },
  );

  it.each([
    ['ill.test', 'ESERVFAIL'],
    ['grim.test', 'EREFUSED'],
  ])('takes the trouble of %s for temporary', async (name, reason) => {
    expect(await dns().mx(name)).toEqual({ kind: 'temporary', reason });
    expect(await dns().addresses(name)).toEqual({ kind: 'temporary', reason });
  });

  it('takes silence for temporary', async () => {
    expect(await dns(100).mx('mute.test')).toEqual({ kind: 'temporary', reason: 'ETIMEOUT' });
  });

  it('ends a question at its own limit, whatever the resolver still hopes for', async () => {
    const clock = new ManualClock();
    const answer = systemDns({ servers: [server.address], limitMs: 1_500, clock }).mx('mute.test');
    clock.advance(1_500);
    expect(await answer).toEqual({ kind: 'temporary', reason: 'ETIMEOUT' });
  });

  it('asks for Unicode names as DNS spells them', async () => {
    expect(await dns().addresses('müller.test')).toEqual({ kind: 'found', values: ['192.0.2.9'] });
  });
});
