import { describe, expect, it } from '@jest/globals';
import { FoldedSet } from '../../src/control/folded.ts';
import {
  admit,
  isBadReturnPath,
  replaceOwnIp,
  rightsOf,
  sizeLimit,
} from '../../src/ingress/accept.ts';
import { rcptHosts, rules } from './smtp/open-door.ts';

const stranger = rightsOf(new Map());
const relay = (value: string) => rightsOf(new Map([['RELAYCLIENT', value]]));

describe('a stranger', () => {
  const ours = rules({ rcpthosts: rcptHosts('heaven.af.mil', 'localhost', '.wild.test') });

  it.each([
    ['a@HEAVEN.af.mil', 'admitted'],
    ['b@sub.wild.test', 'admitted'],
    ['b@wild.test', 'not-in-rcpthosts'],
    ['postmaster', 'admitted'],
    ['a@[9.9.9.9]', 'not-in-rcpthosts'],
    ['', 'admitted'],
    ['a@', 'not-in-rcpthosts'],
    ['a@localhost.', 'not-in-rcpthosts'],
    ['user%other.test@localhost', 'admitted'],
    ['other.test!user@localhost', 'admitted'],
    ['a@other.test@localhost', 'admitted'],
    ['a@localhost@other.test', 'not-in-rcpthosts'],
  ])('who writes to %j is %s', (recipient, kind) => {
    expect(admit(recipient, false, ours, stranger).kind).toBe(kind);
  });

  it('may write nowhere when rcpthosts is empty, but to addresses without a domain', () => {
    const nobody = rules({ rcpthosts: rcptHosts() });
    expect(admit('joe@demo.test', false, nobody, stranger).kind).toBe('not-in-rcpthosts');
    expect(admit('joe', false, nobody, stranger).kind).toBe('admitted');
  });
});

describe('a relay client', () => {
  it('writes anywhere', () => {
    expect(admit('joe@far.test', false, rules(), relay(''))).toEqual({
      kind: 'admitted',
      recipient: 'joe@far.test',
    });
  });

  it('has the value of RELAYCLIENT appended to every recipient', () => {
    expect(admit('joe', false, rules(), relay('@fixme.test'))).toMatchObject({
      recipient: 'joe@fixme.test',
    });
  });

  it('is refused all the same when its return path is in badmailfrom', () => {
    expect(admit('joe@demo.test', true, rules(), relay('')).kind).toBe('bad-return-path');
  });
});

describe('a return path', () => {
  const bad = rules({ badmailfrom: new FoldedSet(['evil@x.test', '@spam.test']) });

  it.each([
    ['evil@x.test', true],
    ['EVIL@X.Test', true],
    ['good@x.test', false],
    ['anybody@spam.test', true],
    ['anybody@SPAM.TEST', true],
    ['anybody@sub.spam.test', false],
    ['a@x.test@spam.test', true],
    ['', false],
    ['nodomain', false],
  ])('%j is bad: %j', (returnPath, isBad) => {
    expect(isBadReturnPath(returnPath, bad)).toBe(isBad);
  });
});

describe('the size limit', () => {
  it.each([
    [0, {}, Infinity],
    [9, {}, 9],
    [9, { DATABYTES: '100' }, 100],
    [9, { DATABYTES: '0' }, Infinity],
    [9, { DATABYTES: '' }, Infinity],
    [9, { DATABYTES: 'many' }, Infinity],
    [9, { DATABYTES: '12k' }, 12],
  ])('with databytes %j and %j is %j', (databytes, env: Record<string, string>, limit) => {
    const rights = rightsOf(new Map(Object.entries(env)));
    expect(sizeLimit(rules({ databytes }), rights)).toBe(limit);
  });
});

describe('our own IP address in an address', () => {
  const at = rules({ localiphost: 'me.test', isOwnIp: (ip) => ['127.0.0.1', '::1'].includes(ip) });

  it.each([
    ['d@[127.0.0.1]', 'd@me.test'],
    ['d@[IPv6:::1]', 'd@me.test'],
    ['d@[9.9.9.9]', 'd@[9.9.9.9]'],
    ['d@127.0.0.1', 'd@127.0.0.1'],
    ['d@[127.0.0.1].x', 'd@[127.0.0.1].x'],
    ['[127.0.0.1]', '[127.0.0.1]'],
  ])('%s becomes %s', (address, becomes) => {
    expect(replaceOwnIp(address, at)).toBe(becomes);
  });

  it('stays when there is no localiphost', () => {
    expect(replaceOwnIp('d@[127.0.0.1]', rules())).toBe('d@[127.0.0.1]');
  });
});
