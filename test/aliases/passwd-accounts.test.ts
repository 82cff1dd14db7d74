import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { Account, Accounts } from '../../src/aliases/accounts.ts';
import { ownAccountOf } from '../../src/aliases/own-account.ts';
import { passwdAccounts } from '../../src/aliases/passwd-accounts.ts';
import { tempDir } from '../support/temp-dir.ts';

let dir: ReturnType<typeof tempDir>;
let asked: string[];
beforeEach(() => {
  dir = tempDir();
  asked = [];
});
afterEach(() => dir.remove());

const far: Account = { uid: 5000, gid: 5001, home: '/far', homeOwner: 5000 };
const others: Accounts = {
  async lookUp(name) {
    asked.push(name);
    return name === 'far' ? far : 'none';
  },
};

function book(passwd: string, nsswitch?: string) {
  const files = { passwd: dir.file('passwd'), nsswitch: dir.file('nsswitch.conf') };
  writeFileSync(files.passwd, passwd);
  if (nsswitch !== undefined) writeFileSync(files.nsswitch, nsswitch);
  return { accounts: passwdAccounts(others, files), files };
}

describe('/etc/passwd', () => {
  it('says who has an account and whose the home is, the first line of a name', async () => {
    mkdirSync(dir.file('home'));
    const owner = process.getuid!();
    const home = dir.file('home');
    const { accounts } = book(
      `# none\njoe:x:7:8:Joe,,:${home}:/bin/sh\njoe:x:9:9::/:/x\nbad:x:y:1\n`,
    );
    expect(await accounts.lookUp('joe')).toEqual({ uid: 7, gid: 8, home, homeOwner: owner });
    expect(asked).toEqual([]);
    expect(await accounts.lookUp('bad')).toBe('none');
  });

  it('is read again when it has changed', async () => {
    const { accounts, files } = book('joe:x:7:8::/nonexistent:/x\n');
    expect(await accounts.lookUp('joe')).toEqual({ uid: 7, gid: 8, home: '/nonexistent' });
    writeFileSync(files.passwd, 'ann:x:7:8::/nonexistent:/x\n# longer\n');
    expect(await accounts.lookUp('joe')).toBe('none');
    expect(await accounts.lookUp('ann')).toMatchObject({ uid: 7 });
  });

  it.each([
    ['passwd: files sss\n', far],
    ['passwd:\tfiles systemd # all\n', far],
    ['group: files\npasswd:   files   # no more\n', 'none'],
    ['hosts: files dns\n', 'none'],
    [undefined, 'none'],
  ])('is all there is, or not: %j', async (nsswitch, expected) => {
    expect(await book('', nsswitch).accounts.lookUp('far')).toEqual(expected);
    expect(asked).toEqual(expected === 'none' ? [] : ['far']);
  });

  it('that cannot be read lets nobody bounce', async () => {
    const files = { passwd: dir.path, nsswitch: dir.file('none') };
    expect(await passwdAccounts(others, files).lookUp('joe')).toBe('temporary');
  });
});

describe('an engine of an ordinary user', () => {
  it('knows its own account and no other', async () => {
    expect(await ownAccountOf(5000, others).lookUp('far')).toEqual(far);
    expect(await ownAccountOf(5001, others).lookUp('far')).toBe('none');
    expect(await ownAccountOf(5001, others).lookUp('near')).toBe('none');
  });
});
