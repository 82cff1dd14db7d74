/** Makes the accounts that the roles run as, where they are missing. For root. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../../control/config.ts';
import { ControlMistake } from '../../mail/trouble.ts';
import type { Logger } from '../../platform/logger.ts';
import { systemAccounts, type SystemAccounts } from '../../platform/system-accounts.ts';
import { aloneOnMachine } from './machine-lock.ts';
import {
  droppingRoles,
  findRoleUser,
  isMissing,
  type DroppingRole,
  type MissingAccount,
  type RoleUser,
  type RoleUsers,
  type UserKey,
} from './role-users.ts';

/** Runs useradd; returns why it failed. */
export type AddUser = (args: readonly string[]) => string | undefined;

export type MakeAccountsParts = {
  readonly accounts?: SystemAccounts;
  readonly addUser?: AddUser;
  /** Runs what no other start may do meanwhile. */
  readonly alone?: <T>(work: () => Promise<T>) => Promise<T>;
  /** Default: all that give up root's rights. */
  readonly roles?: readonly DroppingRole[];
  readonly logger: Logger;
};

/** Somebody else may be making an account, and hold useradd's lock. */
const tries = 40;
const pauseMs = 100;

/** The accounts of all roles, each looked up or made. Throws `ControlMistake` naming the key where that cannot be. */
export async function makeRoleUsers(
  config: Pick<Config, 'users' | 'dir'>,
  parts: MakeAccountsParts,
): Promise<RoleUsers> {
  const { accounts = systemAccounts(), alone = aloneOnMachine, roles = droppingRoles } = parts;
  const found = roles.map((role) => [role, findRoleUser(role, config, accounts)] as const);
  if (!found.some(([, user]) => isMissing(user))) {
    return Object.fromEntries(found) as unknown as RoleUsers;
  }
  return alone(() => makeAll(config, { ...parts, accounts }));
}

/** The account that the files of `alias/` belong to (qmail's user alias). */
export async function makeAliasUser(
  config: Pick<Config, 'users' | 'dir'>,
  parts: MakeAccountsParts,
): Promise<RoleUser> {
  const { accounts = systemAccounts(), alone = aloneOnMachine } = parts;
  const found = findRoleUser('alias', config, accounts);
  return isMissing(found) ? alone(() => makeRoleUser('alias', config, parts)) : found;
}

async function makeAll(
  config: Pick<Config, 'users' | 'dir'>,
  parts: MakeAccountsParts,
): Promise<RoleUsers> {
  const users: Partial<Record<DroppingRole, RoleUser>> = {};
  // One after the other: two keys may name the same account.
  for (const role of parts.roles ?? droppingRoles)
    users[role] = await makeRoleUser(role, config, parts);
  return users as RoleUsers;
}

async function makeRoleUser(
  role: UserKey,
  config: Pick<Config, 'users' | 'dir'>,
  { accounts = systemAccounts(), addUser = runUseradd, logger }: MakeAccountsParts,
): Promise<RoleUser> {
  let why: string | undefined;
  for (let round = 0; round < tries; round += 1) {
    const found = findRoleUser(role, config, accounts);
    if (!isMissing(found)) return found;
    // It worked and yet nobody has the account: asking again would not help.
    if (round > 0 && why === undefined) break;
    why = addUser(useraddArguments(found, accounts));
    if (why === undefined) logger.warn({ account: found.missing, role }, 'made a system account');
    else if (isBusy(why)) await sleep(pauseMs);
    else break;
  }
  const found = findRoleUser(role, config, accounts);
  if (!isMissing(found)) return found;
  throw new ControlMistake(
    join(config.dir, 'waybill.toml'),
    undefined,
    `users.${role}: there is no account ${found.missing}, and it could not be made (${why ?? 'useradd said nothing'}): ` +
      `make it by hand, name another account or numbers such as "1001:1001", or "root" to keep root's rights`,
  );
}

const isBusy = (why: string): boolean => /cannot lock|try again later/i.test(why);

/** A group of that name may be there without the account: useradd would refuse to make both. */
function useraddArguments({ missing, group }: MissingAccount, accounts: SystemAccounts): string[] {
  const existing = group ?? (accounts.gid(missing) === undefined ? undefined : missing);
  return [
    ...['--system', '--no-create-home', '--home-dir', '/nonexistent'],
    ...['--shell', '/usr/sbin/nologin'],
    ...(existing === undefined ? ['--user-group'] : ['--gid', existing]),
    missing,
  ];
}

const runUseradd: AddUser = (args) => {
  const { status, stderr, error } = spawnSync('useradd', args, {
    encoding: 'utf8',
    timeout: 60_000,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
  });
  if (error !== undefined) return error.message;
  return status === 0 ? undefined : stderr.trim() || `useradd: exit ${status}`;
};
