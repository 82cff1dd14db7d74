/** Whose mail there is besides that of users/assign. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { accountsFor, rootsAliasUser } from '../../src/composition/roles/mail-users.ts';
import { ManualClock } from '../../src/platform/clock.ts';
import { openLogger } from '../../src/platform/logger.ts';
import { exited, scriptedProcesses } from '../../src/platform/scripted-processes.ts';
import type { SystemAccount } from '../../src/platform/system-accounts.ts';
import { tempDir } from '../support/temp-dir.ts';

const parts = { processes: scriptedProcesses(() => exited(2)), clock: new ManualClock() };
const local = { accounts: 'auto', alias: '' } as unknown as Parameters<typeof accountsFor>[0];

describe('accounts of the machine', () => {
  it.each([
    ['auto', 0, true],
    ['auto', 1000, false],
    ['system', 1000, true],
    ['none', 0, false],
  ] as const)('with accounts = %j count for an engine of uid %d: %p', (accounts, uid, expected) => {
    expect(accountsFor({ ...local, accounts }, uid, parts) !== undefined).toBe(expected);
  });

  it('are those of this machine', async () => {
    const root = await accountsFor(local, 0, parts)?.lookUp('root');
    expect(root).toMatchObject({ uid: 0, gid: 0 });
    expect(await accountsFor({ ...local, accounts: 'system' }, 42_003, parts)?.lookUp('root')).toBe(
      'none',
    );
  });
});

describe('the user alias of an engine of root’s', () => {
  let dir: ReturnType<typeof tempDir>;
  beforeEach(() => {
    dir = tempDir();
    chmodSync(dir.path, 0o711);
  });
  afterEach(() => dir.remove());

  const logger = openLogger('test', 'silent');
  const find = (account: SystemAccount | undefined, name = 'alias') =>
    rootsAliasUser(
      {
        dir: '/etc/waybill',
        users: { door: '', queue: '', remote: '', desk: 'waybill-desk', alias: name },
        local: { ...local, alias: dir.file('alias') },
      },
      logger,
      { account: (key) => (key === account?.name ? account : undefined), gid: () => undefined },
    );
  const account = { name: 'alias', uid: 7790, gid: 2107 };
  const asRoot = process.getuid?.() === 0 ? it : it.skip;

  it('is nobody without an account, so that mail waits', () => {
    expect(find(undefined)).toBeUndefined();
  });

  it('has no rights of its own where the settings say root', () => {
    const root = { name: 'root', uid: 0, gid: 0, home: '/root' };
    expect(find({ ...root, home: '/nonexistent' }, 'root')).toEqual({ home: dir.file('alias') });
  });

  asRoot('has the configured home, or where there is none the account’s', () => {
    expect(find(account)).toEqual({ home: dir.file('alias'), uid: 7790, gid: 2107 });
    mkdirSync(dir.file('other'), { mode: 0o755 });
    const home = dir.file('other');
    expect(find({ ...account, home })).toEqual({ home, uid: 7790, gid: 2107 });
    mkdirSync(dir.file('alias'), { mode: 0o755 });
    expect(find({ ...account, home })).toMatchObject({ home: dir.file('alias') });
  });

  asRoot('has no rights of its own where it cannot get to its files', () => {
    mkdirSync(join(dir.path, 'alias'), { mode: 0o700 });
    expect(find(account)).toEqual({ home: dir.file('alias') });
  });
});
