/** Whose mail there is besides that of `users/assign`: the machine's accounts, and the user alias. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Accounts } from '../../aliases/accounts.ts';
import type { AliasUser } from '../../aliases/directory.ts';
import { getentAccounts, type GetentParts } from '../../aliases/getent-accounts.ts';
import { ownAccountOf } from '../../aliases/own-account.ts';
import { passwdAccounts } from '../../aliases/passwd-accounts.ts';
import type { Config } from '../../control/config.ts';
import type { Logger } from '../../platform/logger.ts';
import { systemAccounts, type SystemAccounts } from '../../platform/system-accounts.ts';
import { closedTo } from './reach.ts';
import { findRoleUser, isMissing } from './role-users.ts';

/** `undefined`: accounts of the machine get no mail. `uid`: ours. */
export function accountsFor(
  { accounts }: Config['local'],
  uid: number,
  parts: GetentParts,
): Accounts | undefined {
  if (accounts === 'none' || (accounts === 'auto' && uid !== 0)) return undefined;
  const all = passwdAccounts(getentAccounts(parts));
  return uid === 0 ? all : ownAccountOf(uid, all);
}

/**
 * The user of `alias/` for an engine that root has started. Without a uid root's own rights are lent to
 * it, for forwards only: where the settings say so, or where the account cannot get to its files.
 * `undefined`: there is no such account.
 */
export function rootsAliasUser(
  config: Pick<Config, 'users' | 'dir' | 'local'>,
  logger: Logger,
  accounts: SystemAccounts = systemAccounts(),
): AliasUser | undefined {
  const user = findRoleUser('alias', config, accounts);
  if (isMissing(user)) return undefined;
  const { name, uid, gid } = user;
  const home = homeOf(config.local.alias, accounts.account(name)?.home);
  if (uid === 0) return { home };
  const closed = closedTo({ uid, gid }, join(home, 'file'));
  if (closed === undefined) return { home, uid, gid };
  logger.warn(
    { alias: home, closed, account: name },
    `${name} cannot enter ${closed}: the files in ${home} can forward, but run no programs`,
  );
  return { home };
}

/** Whoever moves here from qmail may have the files in ~alias. */
const homeOf = (configured: string, account: string | undefined): string =>
  !existsSync(configured) && account !== undefined && existsSync(account) ? account : configured;
