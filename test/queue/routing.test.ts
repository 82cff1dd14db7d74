import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseControls } from '../../src/control/controls.ts';
import { route, stripVirtualPrefix, toRoutingRules } from '../../src/queue/routing.ts';
import type { RoutingRules } from '../../src/queue/routing.ts';

const rulesFrom = (texts: { [name: string]: string }): RoutingRules =>
  toRoutingRules(parseControls({ me: 'heaven.af.mil\n', ...texts }).controls);

/** `local ADDRESS` or `remote ADDRESS via HOP`. */
function way(address: string, rules: RoutingRules): string {
  const { channel, address: routed, hop } = route(address, rules);
  if (channel === 'local') return `local ${routed}`;
  return `remote ${routed} via ${hop.relay ? `${hop.relay.host} ${hop.relay.port}` : `MX ${hop.host}`}`;
}

const virtual = rulesFrom({
  virtualdomains: [
    'user@special.test:joe-special',
    'special.test:fred-sp',
    '.sub.test:joe-sub',
    'sub.test:fred-submain',
    'exc.sub.test:',
    ':alias-catch',
    'dup.test:joe-first',
    'dup.test:joe-second',
    '   lead.test:joe-lead',
    'trail.test:joe-trail   ',
    'colon.test:joe:colon',
    'nocolon.test',
    'heaven.af.mil:joe-never',
  ].join('\n'),
});

describe('a recipient in a virtual domain', () => {
  it.each([
    ['user@special.test', 'local joe-special-user@special.test'],
    ['User@Special.TEST', 'local joe-special-User@Special.TEST'],
    ['other@special.test', 'local fred-sp-other@special.test'],
    ['a@x.sub.test', 'local joe-sub-a@x.sub.test'],
    ['a@y.x.sub.test', 'local joe-sub-a@y.x.sub.test'],
    ['a@sub.test', 'local fred-submain-a@sub.test'],
    ['a@exc.sub.test', 'remote a@exc.sub.test via MX exc.sub.test'],
    ['a@y.exc.sub.test', 'local joe-sub-a@y.exc.sub.test'],
    ['a@random.org', 'local alias-catch-a@random.org'],
    ['a@dup.test', 'local joe-second-a@dup.test'],
    ['a@lead.test', 'local alias-catch-a@lead.test'],
    ['a@trail.test', 'local joe-trail-a@trail.test'],
    ['a@colon.test', 'local joe:colon-a@colon.test'],
    ['a@nocolon.test', 'local alias-catch-a@nocolon.test'],
    ['a@b@special.test', 'local fred-sp-a@b@special.test'],
    ['@special.test', 'local fred-sp-@special.test'],
    ['user@special.test.', 'local alias-catch-user@special.test.'],
    ['a@', 'local alias-catch-a@'],
    ['joe@HEAVEN.af.mil', 'local joe@HEAVEN.af.mil'],
  ])('%j goes %s', (address, expected) => {
    expect(way(address, virtual)).toBe(expected);
  });

  it.each([
    ['joe@Heaven.af.mil', 'locals: heaven.af.mil'],
    ['User@special.test', 'virtualdomains: user@special.test:joe-special'],
    ['a@x.sub.test', 'virtualdomains: .sub.test:joe-sub'],
    ['a@random.org', 'virtualdomains: :alias-catch'],
    ['a@exc.sub.test', 'virtualdomains: exc.sub.test:'],
    ['postmaster', 'envnoathost: heaven.af.mil; locals: heaven.af.mil'],
  ])('%j knows its rule: %s', (address, rule) => {
    expect(route(address, virtual).rule).toBe(rule);
  });
});

describe('a recipient under the percent hack', () => {
  const hacked = rulesFrom({
    percenthack: 'heaven.af.mil\nhack.test\n',
    locals: 'heaven.af.mil\nhack.test\n',
  });

  it.each([
    ['a%b.c@heaven.af.mil', 'remote a@b.c via MX b.c'],
    ['a%b%special.test@hack.test', 'remote a%b@special.test via MX special.test'],
    ['a%hack.test@hack.test', 'local a@hack.test'],
    ['a%b%hack.test@HACK.test', 'remote a@b via MX b'],
    ['x%y', 'remote x@y via MX y'],
    ['x%y@other.test', 'remote x%y@other.test via MX other.test'],
    ['', 'local @heaven.af.mil'],
  ])('%j goes %s', (address, expected) => {
    expect(way(address, hacked)).toBe(expected);
  });

  it('knows what it went through', () => {
    expect(route('x%y', hacked).rule).toBe(
      'envnoathost: heaven.af.mil; percenthack: heaven.af.mil; default: remote',
    );
  });
});

describe('a recipient elsewhere', () => {
  const routed = rulesFrom({
    smtproutes: [
      '.ok.test:mx2.test',
      'ok.test:127.0.0.11',
      'port.test:Smart.Test:2525',
      'four.test:[10.0.0.1]:26',
      'six.test:[2001:db8::1]:27',
      'baresix.test:2001:DB8::2',
      'zero.test:relay:',
      'high.test:relay:70000',
      'junk.test:relay:25x',
      'mx.test:',
      '.mx.test::2525',
    ].join('\n'),
    virtualdomains: 'out.port.test:\n',
  });

  it.each([
    ['a@ok.test', 'remote a@ok.test via 127.0.0.11 25'],
    ['a@sub.OK.test', 'remote a@sub.OK.test via mx2.test 25'],
    ['a@x.sub.ok.test', 'remote a@x.sub.ok.test via mx2.test 25'],
    ['a@port.test', 'remote a@port.test via smart.test 2525'],
    ['a@four.test', 'remote a@four.test via 10.0.0.1 26'],
    ['a@six.test', 'remote a@six.test via 2001:db8::1 27'],
    ['a@baresix.test', 'remote a@baresix.test via 2001:db8::2 25'],
    ['a@zero.test', 'remote a@zero.test via relay 0'],
    ['a@high.test', 'remote a@high.test via relay 0'],
    ['a@junk.test', 'remote a@junk.test via relay 25'],
    ['a@mx.test', 'remote a@mx.test via MX mx.test'],
    ['a@x.mx.test', 'remote a@x.mx.test via MX x.mx.test'],
    ['a@Else.test', 'remote a@Else.test via MX else.test'],
    ['a@', 'remote a@ via MX '],
  ])('%j goes %s', (address, expected) => {
    expect(way(address, routed)).toBe(expected);
  });

  it.each([
    ['a@sub.ok.test', 'smtproutes: .ok.test:mx2.test'],
    ['a@mx.test', 'smtproutes: mx.test:'],
    ['a@else.test', 'default: remote'],
    ['a@out.port.test', 'virtualdomains: out.port.test:'],
  ])('%j knows its rule: %s', (address, rule) => {
    expect(route(address, routed).rule).toBe(rule);
  });

  it('goes to the smart host unless its domain is an exception', () => {
    const smart = rulesFrom({ smtproutes: ':smart\nok.test:\n', virtualdomains: 'exc.test:\n' });
    expect(way('a@ok.test', smart)).toBe('remote a@ok.test via MX ok.test');
    expect(way('a@other.test', smart)).toBe('remote a@other.test via smart 25');
    expect(way('a@', smart)).toBe('remote a@ via smart 25');
    expect(route('a@exc.test', smart).rule).toBe('virtualdomains: exc.test:; smtproutes: :smart');
  });
});

describe('any recipient', () => {
  const rules = rulesFrom({
    percenthack: 'h.test\n',
    locals: 'h.test\n',
    virtualdomains: '.v:u\nx@w:y\n',
    smtproutes: '.r:s\n',
  });
  const piece = fc.constantFrom('a', '@', '%', '.', 'h.test', '.v', '.r', 'x@w', ' ', 'Ü');

  it('has a way that names its rule, and one that stays when it leads out', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const found = route(pieces.join(''), rules);
        expect(found.address).toContain('@');
        expect(found.rule).toMatch(/(locals|virtualdomains|smtproutes|default): /);
        if (found.channel === 'local') return expect(found.hop).toEqual({ host: '' });
        const { address, channel, hop } = route(found.address, rules);
        return expect([address, channel, hop]).toEqual([found.address, 'remote', found.hop]);
      }),
    );
  });
});

describe('a local address in a bounce', () => {
  it.each([
    ['fred-sp-other@special.test', 'other@special.test'],
    ['joe-sub-a@x.sub.test', 'a@x.sub.test'],
    ['alias-catch-a@random.org', 'a@random.org'],
    ['joe-second-a@dup.test', 'a@dup.test'],
    ['joe-first-a@dup.test', 'joe-first-a@dup.test'],
    ['joe-special-user@special.test', 'joe-special-user@special.test'],
    ['Fred-sp-other@special.test', 'Fred-sp-other@special.test'],
    ['fred-spother@special.test', 'fred-spother@special.test'],
    ['a@exc.sub.test', 'a@exc.sub.test'],
    ['fred-sp-@special.test', '@special.test'],
    ['nohost', 'nohost'],
  ])('%j is shown as %j', (address, shown) => {
    expect(stripVirtualPrefix(address, virtual)).toBe(shown);
  });

  it('is what its sender wrote, for every domain with a line of its own', () => {
    for (const sent of ['other@special.test', 'a@x.sub.test', 'a@colon.test', 'a@random.org']) {
      expect(stripVirtualPrefix(route(sent, virtual).address, virtual)).toBe(sent);
    }
  });
});
