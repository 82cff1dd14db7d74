/**
 * How a role that root started becomes an ordinary user, for good: no supplementary groups but those
 * given, then group, then user, and proof that there is no way back. Node has no call for "no new
 * privileges"; a role's user owns no program that would give it any.
 */
import type { RoleUser } from './role-users.ts';

export type Becoming = RoleUser & {
  /** Groups besides the user's own; the file system knows them by number only. */
  readonly groups: readonly number[];
};

/** Whatever it writes is nobody else's. */
const umask = 0o077;

/** Throws when the system refuses, or when root's rights could be had again. Nothing changes for root itself. */
export function dropRights({ name, uid, gid, groups }: Becoming): void {
  process.umask(umask);
  if (uid === 0) return;
  try {
    // In this order: each of these takes rights that the next one takes away.
    process.setgroups!([...groups]);
    process.setgid!(gid);
    process.setuid!(uid);
  } catch (cause) {
    throw new Error(`cannot become ${name} (uid ${uid}, gid ${gid}): ${String(cause)}`, { cause });
  }
  if (!hasBecome(uid, gid) || canReturn()) {
    throw new Error(`became ${name} (uid ${uid}), but could become root again: not going on`);
  }
}

const hasBecome = (uid: number, gid: number): boolean =>
  process.getuid!() === uid &&
  process.geteuid!() === uid &&
  process.getgid!() === gid &&
  process.getegid!() === gid;

/** Capabilities that outlived the change of user would let one of these through. */
function canReturn(): boolean {
  const attempts = [
    () => process.setuid!(0),
    () => process.seteuid!(0),
    () => process.setgid!(0),
    () => process.setgroups!([0]),
  ];
  return attempts.some((attempt) => {
    try {
      attempt();
      return true;
    } catch {
      return false;
    }
  });
}
