import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lookupTcpRule, parseTcpRules } from '../../src/control/tcp-rules.ts';
import type { TcpClient } from '../../src/control/tcp-rules.ts';
import { ControlMistake } from '../../src/mail/trouble.ts';

/** `allow A=x B=y (key)`, short enough for a table. */
function decide(text: string, client: TcpClient): string {
  const { allow, env, rule } = lookupTcpRule(parseTcpRules(text).value, client);
  const variables = [...env].map(([name, value]) => ` ${name}=${value}`).join('');
  return `${allow ? 'allow' : 'deny'}${variables} (${rule.replace('tcp.smtp: ', '')})`;
}

describe('a client', () => {
  const rules = `
# worked examples
127.0.0.1:allow,RELAYCLIENT="",FOO="a,b"
127.0.0.2-3:allow,R="range"
127.0.0.4:deny
127.0.:allow,P="prefix"
=bad.host:deny
:allow,DEF=/x/
ignored without a colon
127.0.0.1:deny
`;

  it.each([
    [{ ip: '127.0.0.1' }, 'allow RELAYCLIENT= FOO=a,b (127.0.0.1)'],
    [{ ip: '127.0.0.2' }, 'allow R=range (127.0.0.2)'],
    [{ ip: '127.0.0.3' }, 'allow R=range (127.0.0.3)'],
    [{ ip: '127.0.0.4' }, 'deny (127.0.0.4)'],
    [{ ip: '127.0.0.5' }, 'allow P=prefix (127.0.)'],
    [{ ip: '1.2.3.4' }, 'allow DEF=x ()'],
    [{ ip: '1.2.3.4', host: 'bad.host' }, 'deny (=bad.host)'],
    [{ ip: '1.2.3.4', host: 'BAD.Host' }, 'deny (=bad.host)'],
    [{ ip: '::ffff:127.0.0.4' }, 'deny (127.0.0.4)'],
  ])('%j meets %s', (client, decision) => {
    expect(decide(rules, client)).toBe(decision);
  });

  it('meets the rules in this order', () => {
    const keys = ['joe@1.2.3.4', 'joe@=a.b.c', '1.2.3.4', '=a.b.c', '1.2.3.', '1.2.', '1.'];
    const all = [...keys, '=.b.c', '=.c', '=', ''];
    const client = { ip: '1.2.3.4', host: 'a.b.c', info: 'joe' };
    all.forEach((key, i) => {
      const left = all.slice(i).reverse();
      const text = left.map((other) => `${other}:allow,V="${other}"`).join('\n');
      expect(decide(text, client)).toBe(`allow V=${key} (${key})`);
    });
  });

  it('needs a name for the rules about names, and an ident for those about idents', () => {
    const text = '=:deny\njoe@1.2.3.4:deny\n=.c:deny\n';
    expect(decide(text, { ip: '1.2.3.4' })).toBe('allow (default)');
    expect(decide(text, { ip: '5.6.7.8', host: 'x' })).toBe('deny (=)');
    expect(decide(text, { ip: '1.2.3.4', info: 'joe' })).toBe('deny (joe@1.2.3.4)');
    expect(decide(text, { ip: '1.2.3.4', info: 'Joe' })).toBe('allow (default)');
  });

  it.each([
    ['::1:allow,A="1"', '::1', 'allow A=1 (::1)'],
    ['[::1]:allow,A="1"', '0:0:0:0:0:0:0:1', 'allow A=1 (::1)'],
    ['0:0:0:0:0:0:0:1:deny', '::1', 'deny (::1)'],
    ['2001:DB8::25:deny', '2001:db8:0::25', 'deny (2001:db8::25)'],
    ['2001:0db8::allow,A="p"', '2001:db8::7', 'allow A=p (2001:db8:)'],
    ['2001:db8::allow,A="p"', '2001:db9::7', 'allow (default)'],
    ['2001:db8:0::deny', '2001:db8::7', 'deny (2001:db8:0:)'],
    ['info@[::1]:deny', '::1', 'allow (default)'],
    [':deny', '::1', 'deny ()'],
  ])('of IPv6 under %j at %s meets %s', (text, ip, decision) => {
    expect(decide(text, { ip })).toBe(decision);
  });

  it('of IPv6 may have an ident, too', () => {
    expect(decide('info@[::1]:deny', { ip: '::1', info: 'info' })).toBe('deny (info@::1)');
  });
});

describe('an access rule', () => {
  it.each([
    ['1.2.3.4:maybe'],
    ['1.2.3.4:allowed'],
    ['1.2.3.4:allow,X'],
    ['1.2.3.4:allow,X='],
    ['1.2.3.4:allow,X="open'],
    ['1.2.3.4:allow,X="a"b'],
    ['1.2.3.4:allow X="a"'],
    ['1.2.3.x-9:allow'],
    ['my-host:allow'],
    ['1.2.3.4-:allow'],
  ])('%j cannot be parsed, and its line is named', (rule) => {
    expect(() => parseTcpRules(`# first\n${rule}\n`, '/c/tcp.smtp')).toThrow(ControlMistake);
    expect(() => parseTcpRules(`# first\n${rule}\n`, '/c/tcp.smtp')).toThrow('/c/tcp.smtp:2: ');
  });

  it.each([
    ['1.2.3.4-6:deny', ['1.2.3.4', '1.2.3.5', '1.2.3.6']],
    ['1.2.3-4.:deny', ['1.2.3.', '1.2.4.']],
    ['1.2.3.254-999:deny', ['1.2.3.254', '1.2.3.255']],
    ['9-10.:deny', ['9.', '10.']],
    ['1.2.3.9-4:deny', []],
    ['a-b@1.2.3.4:deny', ['a-b@1.2.3.4']],
    ['=my-host:deny', ['=my-host']],
    [' 1.2.3.4:deny', [' 1.2.3.4']],
  ])('%j has the keys %j', (rule, keys) => {
    expect([...parseTcpRules(rule).value.keys()]).toEqual(keys);
  });

  it('may have an allow or deny in a value', () => {
    expect(decide(':allow,X="a:deny,b"', { ip: '1.2.3.4' })).toBe('allow X=a:deny,b ()');
  });

  it('is worth a note when it is overruled, empty or not one', () => {
    const text = '1.2.3.4:allow\nno rule\n1.2.3.4:deny\n1.2.3.9-4:deny\n lead:allow\n';
    expect(parseTcpRules(text).notes.map(({ line }) => line)).toEqual([2, 3, 4, 5]);
  });

  it('is found or refused, but never breaks anything', () => {
    const bit = fc.constantFrom(
      '1',
      '.',
      ':',
      '-',
      '=',
      '@',
      ',',
      'X="',
      '"',
      'allow',
      'deny',
      ' ',
    );
    fc.assert(
      fc.property(
        fc.array(bit).map((bits) => bits.join('')),
        (text) => {
          try {
            lookupTcpRule(parseTcpRules(text).value, { ip: '1.1.1.1', host: 'h', info: 'i' });
          } catch (cause) {
            expect(cause).toBeInstanceOf(ControlMistake);
          }
        },
      ),
    );
  });
});
