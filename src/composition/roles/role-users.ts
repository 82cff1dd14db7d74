/**
 * Whom each role runs as (`[users]` of waybill.toml). Only roles that were started by root can become
 * somebody else; `start` and `local` stay root, as qmail-start and qmail-lspawn do.
 */
import { join } from 'node:path';
import type { Config } from '../../control/config.ts';
import { ControlMistake } from '../../mail/trouble.ts';
import { systemAccounts, type SystemAccounts } from '../../platform/system-accounts.ts';

/** The roles that give up root's rights. */
export const droppingRoles = ['door', 'queue', 'remote', 'desk'] as const;
export type DroppingRole = (typeof droppingRoles)[number];

/** A key of `[users]`. */
export type UserKey = DroppingRole | 'alias';

export type RoleUser = { readonly name: string; readonly uid: number; readonly gid: number };

/** The desk's only where there is a desk. */
export type RoleUsers = { readonly [R in Exclude<DroppingRole, 'desk'>]: RoleUser } & {
  readonly desk?: RoleUser;
};

/** Whether `start` runs a desk: a log in the queue's memory is nobody else's to read. */
export const hasDesk = ({ desk, log }: Pick<Config, 'desk' | 'log'>): boolean =>
  desk.enabled && log.engine !== 'memory';

/** An account that does not exist yet; `group` is given where it must be in a certain one. */
export type MissingAccount = { readonly missing: string; readonly group?: string };

export const isMissing = (found: RoleUser | MissingAccount): found is MissingAccount =>
  'missing' in found;

/** Looks the account of a role up. Throws `ControlMistake` for what no new account could cure. */
export function findRoleUser(
  role: UserKey,
  { users, dir }: Pick<Config, 'users' | 'dir'>,
  accounts: SystemAccounts = systemAccounts(),
): RoleUser | MissingAccount {
  const [user = '', group] = users[role].split(':');
  const mistake = (message: string) =>
    new ControlMistake(join(dir, 'waybill.toml'), undefined, `users.${role}: ${message}`);
  const gid = group === undefined ? undefined : accounts.gid(group);
  if (group !== undefined && gid === undefined) {
    throw mistake(
      `there is no group ${group}: make it (groupadd --system ${group}), or name another`,
    );
  }
  const found = accounts.account(user);
  if (found !== undefined) return checked({ ...found, gid: gid ?? found.gid }, mistake);
  if (!/^[0-9]+$/.test(user)) return { missing: user, ...(group === undefined ? {} : { group }) };
  if (gid === undefined) {
    throw mistake(`uid ${user} has no account, and so no group: write "${user}:GROUP"`);
  }
  return checked({ name: user, uid: Number(user), gid }, mistake);
}

/** The highest number means "no change" to the kernel. */
const highestId = 2 ** 32 - 2;

function checked(user: RoleUser, mistake: (message: string) => Error): RoleUser {
  if (user.uid > highestId || user.gid > highestId) throw mistake('no such number');
  // Another user with root's group could still do much of what root can.
  if (user.uid !== 0 && user.gid === 0) {
    throw mistake(`${user.name} is in root's group: name another group ("${user.name}:GROUP")`);
  }
  return user;
}
