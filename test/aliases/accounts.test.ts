import { describe, expect, it } from '@jest/globals';
import { accountOwner, type Account, type Accounts } from '../../src/aliases/accounts.ts';

const account = (uid: number, homeOwner: number | undefined = uid): Account => ({
  uid,
  gid: uid,
  home: `/home/${uid}`,
  ...(homeOwner === undefined ? {} : { homeOwner }),
});

const book: Record<string, Account> = {
  joe: account(1501),
  'joe-bob': account(1503),
  fred: account(1502),
  alias: account(7790),
  root: account(0),
  nobody: account(65534, 0),
  ghost: { uid: 9, gid: 9, home: '/nonexistent' },
  ['n'.repeat(32)]: account(32),
};
const accounts: Accounts = { lookUp: async (name) => book[name] ?? 'none' };

describe('accounts of the system', () => {
  it.each([
    ['joe', 'joe', '', ''],
    ['JOE', 'joe', '', ''],
    ['joe-x', 'joe', '-', 'x'],
    ['joe-bob', 'joe-bob', '', ''],
    ['joe-bo', 'joe', '-', 'bo'],
    ['joe-', 'joe', '-', ''],
    ['joe-bob-', 'joe-bob', '-', ''],
    ['Fred-A-B', 'fred', '-', 'A-B'],
    ['alias', 'alias', '', ''],
  ])('give %s to %s, dash %p, extension %p', async (local, user, dash, ext) => {
    expect(await accountOwner(local, accounts)).toMatchObject({ user, dash, ext });
  });

  it.each([['root'], ['nobody'], ['ghost'], ['unknown'], ['-x'], [''], ['n'.repeat(32)]])(
    'do not claim %p',
    async (local) => {
      expect(await accountOwner(local, accounts)).toBe('none');
    },
  );

  it('stop at the first that nobody can tell about now', async () => {
    const silent: Accounts = { lookUp: async (name) => (name === 'joe' ? 'temporary' : 'none') };
    expect(await accountOwner('joe-x', silent)).toBe('temporary');
  });
});
