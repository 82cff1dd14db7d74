import { describe, expect, it } from '@jest/globals';
import { systemAccounts, type AccountSources } from '../../src/platform/system-accounts.ts';

const asked: string[] = [];
const sources: AccountSources = {
  passwd: () => 'root:x:0:0:root:/root:/bin/sh\n# none\nbroken:x:z:1\nann:x:1001:2001::/:/bin/sh\n',
  group: () => 'root:x:0:\nmail:x:8:ann\n1234:x:9:\n',
  ask(database, key) {
    asked.push(`${database} ${key}`);
    if (database === 'passwd' && key === 'far') return 'far:*:5000:5001::/:/bin/sh\n';
    if (database === 'passwd' && key === 'odd') return 'other:*:5000:5001::/:/bin/sh\n';
    return database === 'group' && key === 'wide' ? 'wide:*:6000:\n' : undefined;
  },
};
const accounts = systemAccounts(sources);

describe('an account of the system', () => {
  it.each([
    ['root', { name: 'root', uid: 0, gid: 0, home: '/root' }],
    ['ann', { name: 'ann', uid: 1001, gid: 2001, home: '/' }],
    ['1001', { name: 'ann', uid: 1001, gid: 2001, home: '/' }],
    ['far', { name: 'far', uid: 5000, gid: 5001, home: '/' }],
    ['odd', undefined],
    ['broken', undefined],
    ['nobody-at-all', undefined],
    ['4711', undefined],
  ])('called %s is %j', (key, expected) => {
    expect(accounts.account(key)).toEqual(expected);
  });

  it('is asked of others only when the files do not know it', () => {
    asked.length = 0;
    accounts.account('ann');
    accounts.gid('mail');
    expect(asked).toEqual([]);
    accounts.account('far');
    accounts.gid('wide');
    expect(asked).toEqual(['passwd far', 'group wide']);
  });

  it('is found on this machine, too', () => {
    expect(systemAccounts().account('root')).toMatchObject({ name: 'root', uid: 0, gid: 0 });
    expect(systemAccounts().account('no-such-account-here')).toBeUndefined();
  });
});

describe('a group of the system', () => {
  it.each([
    ['mail', 8],
    ['8', 8],
    ['4711', 4711],
    ['1234', 1234],
    ['wide', 6000],
    ['nowhere', undefined],
  ])('called %s is %j', (key, expected) => {
    expect(accounts.gid(key)).toBe(expected);
  });
});
