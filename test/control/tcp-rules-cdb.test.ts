import { describe, expect, it } from '@jest/globals';
import {
  compileTcpRules,
  findCompiledRule,
  UnparsableRule,
} from '../../src/control/tcp-rules-cdb.ts';

const compile = (text: string) =>
  [...compileTcpRules(text)].map(([key, data]) => `${key}->${data.replaceAll('\0', '¦')}`);

/** The worked example of the rules' format. */
const example = `127.:allow,RELAYCLIENT=""
1.2.3.37-39:deny
10.2-3.:allow,X=/a b/
joe@1.2.3.4:deny
=.example.com:allow,RELAYCLIENT="@fix",DATABYTES="100"
:allow
`;

describe('compiled access rules', () => {
  it.each([
    ['127.:allow,RELAYCLIENT=""', ['127.->+RELAYCLIENT=¦']],
    ['1.2.3.37-39:deny', ['1.2.3.37->D¦', '1.2.3.38->D¦', '1.2.3.39->D¦']],
    ['10.2-3.:allow,X=/a b/', ['10.2.->+X=a b¦', '10.3.->+X=a b¦']],
    ['joe@1.2.3.4:deny', ['joe@1.2.3.4->D¦']],
    [
      '=.example.com:allow,RELAYCLIENT="@fix",DATABYTES="100"',
      ['=.example.com->+RELAYCLIENT=@fix¦+DATABYTES=100¦'],
    ],
    [':allow', ['->']],
    ['1.2.3.4:deny,A="1",A="2"', ['1.2.3.4->D¦+A=1¦+A=2¦']],
    ['=Bad.Host:deny', ['=Bad.Host->D¦']],
    ['1.2.3.254-999:deny', ['1.2.3.254->D¦', '1.2.3.255->D¦']],
    ['1.2.3.-1:deny', ['1.2.3.0->D¦', '1.2.3.1->D¦']],
    ['1.2.3.5-:deny', []],
    ['my-host@=x-y:deny', ['my-host@=x-y->D¦']],
    ['# comment', []],
    ['no rule', []],
    ['1.1.1.1:deny \t', ['1.1.1.1->D¦']],
    ['[::1]:allow,A="6"', ['::1->+A=6¦']],
    ['2001:0DB8::deny', ['2001:db8:->D¦']],
    ['1.1.1.1:deny\n1.1.1.1:allow', ['1.1.1.1->D¦', '1.1.1.1->']],
  ])('of %j are %j', (rules, records) => {
    expect(compile(`${rules}\n`)).toEqual(records);
  });

  it.each([
    ['1.2.3.4:maybe'],
    ['1.2.3.4:allow,A="x"y'],
    ['1.2.3.4:allow,A="x'],
    ['1.2.3.4:allow,A='],
    ['1.2.3.4:allow;'],
    ['a-b:deny'],
    ['4-5-6:deny'],
    ['a:b:allow'],
    ['1.2.3.4:allow\r'],
  ])('cannot be made of %j', (line) => {
    expect(() => compile(`:allow\n${line}\n`)).toThrow(UnparsableRule);
    expect(() => compile(line)).toThrow(`unable to parse this line: ${line}`);
  });
});

describe('the client', () => {
  const records = [...compileTcpRules(example)];
  const get = (key: string) => records.find(([name]) => name === key)?.[1];

  it.each([
    [{ ip: '1.2.3.38' }, '1.2.3.38', false, []],
    [{ ip: '10.3.9.9' }, '10.3.', true, ['X=a b']],
    [
      { ip: '9.9.9.9', host: 'a.example.com' },
      '=.example.com',
      true,
      ['RELAYCLIENT=@fix', 'DATABYTES=100'],
    ],
    [{ ip: '9.9.9.9', host: 'example.com' }, '', true, []],
    [{ ip: '1.2.3.4', info: 'joe' }, 'joe@1.2.3.4', false, []],
    [{ ip: '127.0.0.1' }, '127.', true, ['RELAYCLIENT=']],
  ] as const)('%j meets the rule %j', (client, key, allow, variables) => {
    expect(findCompiledRule(client, get)).toEqual({ key, allow, variables });
  });

  it('meets none where none speaks for it, and its names are compared byte by byte', () => {
    expect(findCompiledRule({ ip: '1.1.1.1', host: 'Bad.Host' }, () => undefined)).toBeUndefined();
    const rule = (key: string) => (key === '=bad.host' ? 'D\0' : undefined);
    expect(findCompiledRule({ ip: '1.1.1.1', host: 'Bad.Host' }, rule)).toBeUndefined();
  });

  it('meets them in this order', () => {
    const order: string[] = [];
    findCompiledRule({ ip: '1.2.3.4', host: 'a.b.c', info: 'joe' }, (key) => {
      order.push(key);
      return undefined;
    });
    expect(order).toEqual(['joe@1.2.3.4', 'joe@=a.b.c', '1.2.3.4', '=a.b.c', '1.2.3.', '1.2.', '1.', '=.b.c', '=.c', '=', '']); // prettier-ignore
  });
});
