import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Account, Accounts } from '../../src/aliases/accounts.ts';
import { parseAssign } from '../../src/aliases/assign.ts';
import { residents, type DirectoryParts } from '../../src/aliases/directory.ts';
import { diskDotQmail } from '../../src/aliases/disk-dot-qmail.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'residents-'));
  for (const home of ['joe', 'alias', 'fred/.qmail-dir'])
    mkdirSync(join(root, home), { recursive: true });
  writeFileSync(join(root, 'joe/.qmail-list-default'), '');
  writeFileSync(join(root, 'alias/.qmail-postmaster'), '');
});
afterAll(() => rmSync(root, { recursive: true }));

const assign = () => `=joe:joe:::${root}/joe:::
+joe-:joe:::${root}/joe:-::
+fred-:fred:::${root}/fred:-::
=new:new:::homes/new:::
+new-:new:::homes/new:-::
+lost-:lost:::${root}/nowhere:-::
.`;

const parts = (more: Partial<DirectoryParts> = {}): DirectoryParts => ({
  assignments: () => parseAssign(assign()),
  alias: () => ({ home: `${root}/alias` }),
  dataDirectory: '/data',
  dotQmail: diskDotQmail,
  ...more,
});

const book = (entries: Record<string, Account | 'temporary'>): Accounts => ({
  lookUp: async (name) => entries[name] ?? 'none',
});

describe('the owner of a local part', () => {
  it('is nobody for the empty one', async () => {
    expect(await residents(parts()).ownerOf('')).toBeUndefined();
  });

  it('is the assigned user, whose home may lie in the data directory', async () => {
    const { ownerOf } = residents(parts());
    expect(await ownerOf('Joe-X')).toEqual({
      by: expect.stringMatching(/^users\/assign:\d+ \+joe-$/),
      ...{ user: 'joe', home: `${root}/joe`, dash: '-', ext: 'X' },
    });
    expect(await ownerOf('new')).toEqual({
      by: expect.stringMatching(/^users\/assign:\d+ =new$/),
      ...{ user: 'new', home: '/data/homes/new', managed: true, dash: '', ext: '' },
    });
  });

  it('is alias when no line matches, or there are none, and the whole local part is the extension', async () => {
    const alias = {
      user: 'alias',
      by: 'alias',
      home: `${root}/alias`,
      dash: '-',
      ext: 'POSTMASTER',
    };
    expect(await residents(parts()).ownerOf('POSTMASTER')).toEqual(alias);
    const bare = residents(parts({ assignments: () => undefined }));
    expect(await bare.ownerOf('POSTMASTER')).toEqual(alias);
  });

  it('may be an account of the system where those count', async () => {
    const fred = { uid: 7, gid: 8, home: '/home/fred', homeOwner: 7 };
    const { ownerOf } = residents(parts({ accounts: book({ fred, bob: 'temporary' }) }));
    expect(await ownerOf('fred')).toEqual({
      ...{
        user: 'fred',
        by: 'account fred',
        uid: 7,
        gid: 8,
        home: '/home/fred',
        dash: '',
        ext: '',
      },
    });
    await expect(ownerOf('bob')).rejects.toMatchObject({ tryAgain: true });
  });

  it('is the account alias for what neither a line nor an account claims', async () => {
    const alias = { home: `${root}/alias`, uid: 7790, gid: 2107 };
    const withAlias = residents(parts({ accounts: book({}), alias: () => alias }));
    expect(await withAlias.ownerOf('info')).toEqual({
      ...{ user: 'alias', by: 'alias', ...alias, dash: '-', ext: 'info' },
    });
    const without = residents(parts({ accounts: book({}), alias: () => undefined }));
    await expect(without.ownerOf('info')).rejects.toMatchObject({
      peer: 'Unable to find alias user!',
    });
    expect(await without.ownerOf('joe')).toMatchObject({ user: 'joe' });
  });

  it('is looked for among the lines before the accounts', async () => {
    const joe = { uid: 7, gid: 8, home: '/home/joe', homeOwner: 7 };
    const { ownerOf } = residents(parts({ accounts: book({ joe }) }));
    expect(await ownerOf('joe-x')).toMatchObject({ home: `${root}/joe`, ext: 'x' });
  });
});

describe('users/cdb', () => {
  const assignments = () => parseAssign('=joe:text:1:1:/text:::\n.\n');
  const inDatabase = { user: 'joe', home: 'homes/joe', dash: '', ext: '' };

  it('counts alone while it is there, and sends nobody to users/assign', async () => {
    const database = () => (local: string) => (local === 'ann' ? inDatabase : undefined);
    const { ownerOf } = residents(parts({ assignments, database }));
    expect(await ownerOf('ann')).toMatchObject({
      ...{ home: '/data/homes/joe', managed: true, by: 'users/cdb' },
    });
    expect(await ownerOf('joe')).toMatchObject({ user: 'alias' });
  });

  it('leaves it to users/assign when it is not there', async () => {
    const { ownerOf } = residents(parts({ assignments, database: () => undefined }));
    expect(await ownerOf('joe')).toMatchObject({ user: 'text' });
  });

  it('that cannot be read defers, and bounces nobody', async () => {
    const database = () => () => {
      throw new Error('damaged');
    };
    await expect(residents(parts({ assignments, database })).ownerOf('joe')).rejects.toMatchObject({
      tryAgain: true,
      peer: 'Trouble reading users/cdb in qmail-lspawn.',
    });
  });
});

describe('a local address', () => {
  it.each([
    ['joe@demo.test', true],
    ['JOE@demo.test', true],
    ['joe-list-x@demo.test', true],
    ['joe-other@demo.test', false],
    ['postmaster@demo.test', true],
    ['nobody-at-all@demo.test', false],
    ['@demo.test', true],
    ['postmaster', true],
    ['new@demo.test', true],
    ['new-x@demo.test', false],
    ['fred-dir@demo.test', false],
    [`${'x'.repeat(300)}@demo.test`, false],
    ['joe-../alias/.qmail-postmaster@demo.test', false],
  ])('%s is received: %p', async (address, expected) => {
    expect(await residents(parts()).receives(address)).toBe(expected);
  });

  it('cannot be told about while its home is away', async () => {
    await expect(residents(parts()).receives('lost-x@demo.test')).rejects.toMatchObject({
      tryAgain: true,
    });
  });
});
