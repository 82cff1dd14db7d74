/** What must be so before a role starts, and the first thing it is told: who it becomes, and what it must know. */
import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../control/config.ts';
import { errnoOf, errorWords } from '../../platform/errno.ts';
import type { Logger } from '../../platform/logger.ts';
import { makeLastingFolder } from '../../platform/sync-path.ts';
import { ownDataDirectory } from './data-directory.ts';
import type { Becoming } from './drop-rights.ts';
import type { SocketGroups } from './given.ts';
import { handedTo, type Handed } from './handed.ts';
import { makeAliasUser, makeRoleUsers } from './make-accounts.ts';
import type { Begin, RoleName } from './role-main.ts';
import { closedTo } from './reach.ts';
import { droppingRoles, hasDesk, type RoleUser, type RoleUsers } from './role-users.ts';

/**
 * Accounts and a data directory for the roles. `undefined` when we are not root: everybody runs as we
 * do, and the data directory is ours alone.
 */
export async function prepareGround(
  config: Config,
  logger: Logger,
): Promise<RoleUsers | undefined> {
  if (process.geteuid?.() !== 0) {
    makeDataDirectory(config, 0o700);
    refuseOthers(config);
    return undefined;
  }
  const roles = droppingRoles.filter((role) => role !== 'desk' || hasDesk(config));
  const accounts = await makeRoleUsers(config, { logger, roles });
  await makeAliasUser(config, { logger });
  makeDataDirectory(config, 0o711);
  const queue = queueUser(accounts, config, logger);
  const users = withDeskIn({ ...accounts, queue }, config, logger);
  const taken = ownDataDirectory(config.dataDir, users);
  if (taken.length > 0) {
    logger.warn(
      { data: config.dataDir, taken },
      'took over what others owned in the data directory',
    );
  }
  return users;
}

/** The system's own words name a call; an operator is told what it was for. */
export function makeDataDirectory({ dataDir }: Pick<Config, 'dataDir'>, mode: number): void {
  try {
    makeLastingFolder(dataDir, mode);
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause;
    throw new Error(
      `the data directory ${dataDir} cannot be made: ${errorWords(cause)} (see --data)`,
      { cause },
    );
  }
}

/** What root's engine has used is its accounts'; said here, where it is one sentence and not a role's complaint. */
function refuseOthers({ dataDir, log: { engine } }: Config): void {
  const log = join(dataDir, 'log');
  const place = engine === 'sqlite' && existsSync(log) ? log : dataDir;
  try {
    accessSync(place, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new Error(
      `${place} cannot be written by uid ${process.geteuid?.()} (${errorWords(cause)}): ` +
        `start as root where root has started before, or use another data directory (--data)`,
      { cause },
    );
  }
}

const root: RoleUser = { name: 'root', uid: 0, gid: 0 };

/**
 * Where its account cannot get to the log, the queue stays root, and says so: better than no mail. It has
 * no socket to the network, and the roles that do have given their rights up all the same.
 */
function queueUser({ queue }: RoleUsers, { dataDir }: Config, logger: Logger): RoleUser {
  if (queue.uid === root.uid) return root;
  const closed = closedTo(queue, dataDir);
  if (closed === undefined) return queue;
  logger.warn(
    { data: dataDir, closed, account: queue.name },
    `the queue keeps root's rights: ${queue.name} cannot enter ${closed}, where its log lies. ` +
      `Use another data directory (--data /var/lib/waybill), or let it enter (setfacl -m u:${queue.uid}:x ${closed})`,
  );
  return root;
}

/** A desk that cannot get to the log is none: it has a socket to the network, and never keeps root's rights. */
function withDeskIn(users: RoleUsers, { dataDir }: Config, logger: Logger): RoleUsers {
  const { desk, ...others } = users;
  const closed = desk && desk.uid !== root.uid ? closedTo(desk, dataDir) : undefined;
  if (desk === undefined || closed === undefined) return users;
  logger.warn(
    { data: dataDir, closed, account: desk.name },
    `no desk (views, web page): ${desk.name} cannot enter ${closed}, where the log lies. ` +
      `Use another data directory (--data /var/lib/waybill), or let it enter (setfacl -m u:${desk.uid}:x ${closed})`,
  );
  return others;
}

export const beginFor = (
  role: RoleName,
  config: Config,
  handed: Handed,
  users: RoleUsers | undefined,
): Begin => ({
  ...{ type: 'begin', config },
  handed: handedTo(role, handed),
  socketGroups: role === 'queue' && users !== undefined ? socketGroups(users) : {},
  ...(role === 'local' || users === undefined ? {} : { as: becoming(role, users) }),
});

function becoming(role: Exclude<RoleName, 'local'>, users: RoleUsers): Becoming {
  // Only members may give a file to a group: the queue is one of those that call at its sockets.
  const groups = role === 'queue' ? Object.values(socketGroups(users)) : [];
  const user = users[role];
  if (user === undefined) throw new Error(`${role} has no account`);
  return { ...user, groups: [...new Set(groups)] };
}

/** Root needs no permission, nor does the queue's own user. */
function socketGroups({ queue, door, remote, desk }: RoleUsers): SocketGroups {
  const mayCall = { door, remote, ...(desk && { desk }) };
  return Object.fromEntries(
    Object.entries(mayCall).flatMap(([name, { uid, gid }]) =>
      uid === 0 || uid === queue.uid ? [] : [[name, gid]],
    ),
  );
}
