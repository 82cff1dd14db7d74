/**
 * The machine's accounts and groups, by name or number: the files in /etc first, then whatever else the
 * machine asks (`getent`: LDAP, SSSD). Synchronous: for starts and checks, not for every letter.
 */
import { spawnSync } from 'node:child_process';
import { readIfThere } from './read-if-there.ts';

export type SystemAccount = {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** Where the account says so. */
  readonly home?: string;
};

export interface SystemAccounts {
  /** Digits are a uid. Throws when nobody can tell now. */
  account(nameOrUid: string): SystemAccount | undefined;
  /** The gid of a group; digits are a gid and need not have a name. Throws when nobody can tell now. */
  gid(nameOrGid: string): number | undefined;
}

/** Where to look; a test has files of its own and nobody else to ask. */
export type AccountSources = {
  readonly passwd: () => string;
  readonly group: () => string;
  /** The lines of an answer; `undefined` when nobody has that key. */
  readonly ask: (database: 'passwd' | 'group', key: string) => string | undefined;
};

export function systemAccounts(sources: AccountSources = machine): SystemAccounts {
  return {
    account(key) {
      const find = (text: string) => accountsIn(text).find(isCalled(key));
      return find(sources.passwd()) ?? find(sources.ask('passwd', key) ?? '');
    },
    gid(key) {
      if (isNumber(key)) return Number(key);
      const find = (text: string) => groupsIn(text).find(({ name }) => name === key)?.gid;
      return find(sources.group()) ?? find(sources.ask('group', key) ?? '');
    },
  };
}

const isNumber = (text: string): boolean => /^[0-9]+$/.test(text);

const isCalled =
  (key: string) =>
  ({ name, uid }: SystemAccount): boolean =>
    isNumber(key) ? uid === Number(key) : name === key;

/** passwd(5): name:password:uid:gid:comment:home:shell */
const accountsIn = (text: string): readonly SystemAccount[] =>
  fieldsOf(text).flatMap(([name = '', , uid = '', gid = '', , home = '']) =>
    name !== '' && isNumber(uid) && isNumber(gid)
      ? [{ name, uid: Number(uid), gid: Number(gid), ...(home === '' ? {} : { home }) }]
      : [],
  );

/** group(5): name:password:gid:… */
const groupsIn = (text: string) =>
  fieldsOf(text).flatMap(([name = '', , gid = '']) =>
    name !== '' && isNumber(gid) ? [{ name, gid: Number(gid) }] : [],
  );

const fieldsOf = (text: string): readonly (readonly string[])[] =>
  text.split('\n').map((line) => line.split(':'));

const machine: AccountSources = {
  passwd: () => textOf('/etc/passwd'),
  group: () => textOf('/etc/group'),
  ask(database, key) {
    const { status, stdout, error } = spawnSync('getent', [database, key], {
      encoding: 'utf8',
      timeout: 20_000,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
    });
    // A machine without getent has its files and nothing else. getent(1): 0 found, 2 no such key.
    if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT' || status === 2) {
      return undefined;
    }
    if (status !== 0) throw new Error(`getent ${database} ${key}: nobody can tell now`);
    return stdout;
  },
};

const textOf = (file: string): string => readIfThere(file)?.toString('utf8') ?? '';
