/** Whom the roles would run as, were root to start them, and what an operator should know of that. */
import { join } from 'node:path';
import {
  findRoleUser,
  droppingRoles,
  hasDesk,
  isMissing,
} from '../composition/roles/role-users.ts';
import { closedTo } from '../composition/roles/reach.ts';
import type { Config } from '../control/config.ts';
import { systemAccounts, type SystemAccounts } from '../platform/system-accounts.ts';
import type { Finding } from './check-config.ts';

export type RoleAccount = {
  readonly role: string;
  readonly account: string;
  /** Absent: there is no such account yet; the first start by root makes it. */
  readonly uid?: number;
  readonly gid?: number;
};

export type UsersCheck = {
  readonly users: readonly RoleAccount[];
  readonly warnings: readonly Finding[];
};

/** Throws `ControlMistake` for an account that neither exists nor could be made. */
export function checkUsers(
  config: Config,
  accounts: SystemAccounts = systemAccounts(),
): UsersCheck {
  const roles = droppingRoles.filter((role) => role !== 'desk' || hasDesk(config));
  const users = roles.map((role): RoleAccount => {
    const found = findRoleUser(role, config, accounts);
    if (isMissing(found)) return { role, account: found.missing };
    return { role, account: found.name, uid: found.uid, gid: found.gid };
  });
  const file = join(config.dir, 'waybill.toml');
  return { users, warnings: warningsOf(users).map((message) => ({ file, message })) };
}

/** What becomes of a role whose account cannot walk to the log. */
const withoutTheWay: { readonly [role: string]: string } = {
  queue: "the queue would keep root's rights",
  desk: 'there would be no desk',
};

/** Whether the accounts of queue and desk could get to the log. Only root can ask on behalf of another. */
export function checkReach(users: readonly RoleAccount[], dataDir: string): readonly Finding[] {
  if (process.geteuid?.() !== 0) return [];
  return users.flatMap(({ role, account, uid, gid }) => {
    const otherwise = withoutTheWay[role];
    if (otherwise === undefined || uid === undefined || gid === undefined) return [];
    const closed = closedTo({ uid, gid }, dataDir);
    if (closed === undefined) return [];
    return [{ file: dataDir, message: `${account} cannot enter ${closed}: ${otherwise}` }];
  });
}

function warningsOf(users: readonly RoleAccount[]): readonly string[] {
  return users.flatMap(({ role, account, uid, gid }, index) => {
    if (uid === 0) return [`users.${role}: started by root, ${role} keeps all of root's rights`];
    const other = users
      .slice(0, index)
      .find((earlier) => earlier.account === account || (uid !== undefined && earlier.uid === uid));
    if (other !== undefined) {
      return [
        `users.${role}: ${role} and ${other.role} are both ${account}: each can do what the other can`,
      ];
    }
    const companion = users
      .slice(0, index)
      .find((earlier) => gid !== undefined && earlier.gid === gid);
    return companion === undefined
      ? []
      : [
          `users.${role}: ${role} and ${companion.role} share a group: each can use the other's socket`,
        ];
  });
}

/** `door as waybill-door (uid 101), …` */
export const describeUsers = (users: readonly RoleAccount[]): string =>
  users
    .map(({ role, account, uid }) => {
      const state =
        uid === undefined ? 'no such account yet: made at the first start' : `uid ${uid}`;
      return `${role} as ${account} (${state})`;
    })
    .join(', ');
