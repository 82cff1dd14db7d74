/**
 * The data directory as root makes it: root's own, enterable by all, and each folder in it its role's.
 *
 *   log/                       the queue's; the desk's group may read it, where there is a desk
 *   spool/ checkpoints/        the queue's alone
 *   views/ past/               the desk's alone: what it has computed from the log
 *   desk/                      the desk's alone: the token of its page, what it knows of other nodes
 *   drop/ aside/               the queue's; in drop/ everybody may make files, and nobody look around
 *   run/                       the queue makes its sockets there; others may enter, not look around
 *   bin/                       programs for users' files, root's alone: they are run as any user
 *   scratch/ mail/             local's, which is root; homes in mail/ are their users'
 *
 * A directory that an older release, another user or root itself has used is taken over. Root changes
 * the owner of nothing that might not be ours: strange names, hard links and other people's links are
 * refused, since who owned the directory may have put them there.
 */
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';
import { errnoOf, errorWords } from '../../platform/errno.ts';
import { makeLastingFolder, syncPath } from '../../platform/sync-path.ts';
import type { RoleUser, RoleUsers } from './role-users.ts';

type Owner = Pick<RoleUser, 'uid' | 'gid'>;

type Folder = {
  readonly path: string;
  readonly owner: Owner;
  readonly mode: number;
  /** What may lie in it and be ours; such files get the folder's owner. Absent: what lies in it is left alone. */
  readonly ours?: RegExp;
  /** Whether the files are looked at even when the folder itself is as it should be; few of them there. */
  readonly few?: true;
  /** Of such a file, by name; absent: as it is. */
  readonly fileMode?: (name: string) => number;
};

const root: Owner = { uid: 0, gid: 0 };

const foldersFor = ({ queue, desk }: RoleUsers): readonly Folder[] => [
  logFolder(queue, desk),
  { path: 'spool', owner: queue, mode: 0o700, ours: /^(incoming|bodies)$/ },
  { path: 'spool/incoming', owner: queue, mode: 0o700, ours: /^[0-9a-f-]{36}(\.|$)/ },
  { path: 'spool/bodies', owner: queue, mode: 0o700, ours: /^[0-9a-f-]{36}$/ },
  {
    path: 'checkpoints',
    owner: queue,
    mode: 0o700,
    ours: /^(agenda|nodes|bodies-swept)/,
    few: true,
  },
  { path: 'run', owner: queue, mode: 0o711, ours: /^([a-z]+\.sock|callers)$/ },
  { path: 'run/callers', owner: queue, mode: 0o1733 },
  { path: 'drop', owner: queue, mode: 0o3733 },
  { path: 'aside', owner: queue, mode: 0o700 },
  { path: 'bin', owner: root, mode: 0o755, ours: /^[a-z0-9-]+(\.new)?$/ },
  { path: 'scratch', owner: root, mode: 0o700, ours: /^waybill-/ },
  ...(desk === undefined ? [] : desksFolders(desk)),
];

/** Files made in it later get its group, too; SQLite gives those beside the database the mode of the database. */
const logFolder = (queue: Owner, desk: Owner | undefined): Folder => ({
  ...{ path: 'log', ours: /^waybill\.db/, few: true },
  ...(desk === undefined
    ? { owner: queue, mode: 0o700, fileMode: () => 0o600 }
    : { owner: { uid: queue.uid, gid: desk.gid }, mode: 0o2750, fileMode: readable }),
});

/** Who may read a lock's file may hold it. */
const readable = (name: string): number => (name.endsWith('.lock') ? 0o600 : 0o640);

const desksFolders = (desk: Owner): readonly Folder[] => [
  { path: 'views', owner: desk, mode: 0o700, ours: /^waybill-views[a-z0-9.-]*$/, few: true },
  {
    path: 'desk',
    owner: desk,
    mode: 0o700,
    ours: /^(token|nodes|node-streams)(\.new)?$/,
    few: true,
  },
  { path: 'past', owner: desk, mode: 0o700, ours: /^[a-z0-9][a-z0-9.-]*$/, few: true },
];

/** What a data directory holds, and what other programs may leave in one that is ours all the same. */
const topNames =
  /^(aside|bin|drop|log|spool|checkpoints|consumers|views|past|desk|run|scratch|mail|lost\+found|\.waybill-check-\d+)$/;

const homes = 'mail';

/**
 * Makes what is missing, as root, and takes over what is there. Returns what changed hands, by path.
 * Throws where the directory is not ours to change; nothing below it is touched then.
 */
export function ownDataDirectory(directory: string, users: RoleUsers): readonly string[] {
  makeLastingFolder(directory, 0o711);
  const before = ownTop(directory);
  const taken = before.uid === root.uid ? [] : ['.'];
  // From here on nobody but root can put anything else in the place of these folders.
  for (const folder of foldersFor(users)) {
    const made = mkdirSync(join(directory, folder.path), { recursive: true, mode: 0o700 });
    if (changing(folder, () => ownFolder(directory, folder)) && made === undefined) {
      taken.push(folder.path);
    }
  }
  if (before.uid !== root.uid && ownHomes(directory, before)) taken.push(homes);
  for (const parent of [directory, join(directory, 'spool')]) syncPath(parent);
  return taken;
}

/** While the roles run: a folder of the desk that somebody removed. Returns whether it was missing. */
export function remakeFolder(directory: string, name: string, { desk }: RoleUsers): boolean {
  const folder = (desk === undefined ? [] : desksFolders(desk)).find(({ path }) => path === name);
  const place = join(directory, name);
  if (folder === undefined || existsSync(place)) return false;
  mkdirSync(place, { mode: 0o700 });
  changing(folder, () => ownFolder(directory, folder));
  return true;
}

/** A file system that knows no owners, or not this one, should be named, not only the call that failed. */
function changing<T>({ path, owner: { uid, gid } }: Folder, change: () => T): T {
  try {
    return change();
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause;
    throw new Error(
      `${path} of the data directory cannot be given to ${uid}:${gid}: ${errorWords(cause)}`,
      { cause },
    );
  }
}

/** The directory itself: root's, writable by nobody else. Returns how it was. */
function ownTop(directory: string): Stats {
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const before = fstatSync(fd);
    const mode = (before.mode & 0o755) | 0o711;
    if (before.uid === root.uid && (before.mode & 0o777) === mode) return before;
    const strange = readdirSync(directory).filter((name) => !topNames.test(name));
    if (strange.length > 0) {
      throw refusal(directory, `is not Waybill's alone (there is ${quote(strange)} in it)`);
    }
    fchownSync(fd, root.uid, root.gid);
    fchmodSync(fd, mode);
    return before;
  } finally {
    closeSync(fd);
  }
}

/** Returns whether anything had to change. */
function ownFolder(directory: string, folder: Folder): boolean {
  const { path, owner, mode, ours, few, fileMode } = folder;
  const place = join(directory, path);
  const fd = openFolder(place);
  try {
    const before = fstatSync(fd);
    const isRight = isOwned(before, owner) && (before.mode & 0o7777) === mode;
    if (isRight && few === undefined) return false;
    const names = ours === undefined ? [] : readdirSync(place);
    const strange = names.filter((name) => ours?.test(name) === false);
    if (!isRight && strange.length > 0) {
      throw refusal(place, `holds what is not Waybill's (${quote(strange)})`);
    }
    if (!isRight) {
      // Root's alone while we look at its files.
      fchownSync(fd, root.uid, root.gid);
      fchmodSync(fd, 0o700);
    }
    const files = names.filter(
      (name) => ours?.test(name) === true && ownFile(join(place, name), owner, fileMode?.(name)),
    );
    if (!isRight) {
      fchmodSync(fd, mode);
      fchownSync(fd, owner.uid, owner.gid);
    }
    return !isRight || files.length > 0;
  } finally {
    closeSync(fd);
  }
}

/** A link to a folder elsewhere is followed when root made it. */
function openFolder(place: string): number {
  const found = lstatSync(place);
  if (found.isSymbolicLink() && found.uid !== root.uid) {
    throw refusal(place, `is a link that uid ${found.uid} made`);
  }
  return openSync(place, constants.O_RDONLY | constants.O_DIRECTORY);
}

/** Regular files only: folders have rows of their own, sockets are made anew. */
function ownFile(place: string, owner: Owner, mode?: number): boolean {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const found = lstatSync(place, { throwIfNoEntry: false });
  const isRight = (file: Stats) =>
    isOwned(file, owner) && (mode === undefined || (file.mode & 0o777) === mode);
  if (found?.isFile() !== true || isRight(found)) return false;
  let fd: number;
  try {
    fd = openSync(place, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return false;
    throw cause;
  }
  try {
    const now = fstatSync(fd);
    if (!now.isFile() || now.nlink !== 1) {
      throw refusal(place, 'has other names (hard links), and may be somebody else’s');
    }
    fchownSync(fd, owner.uid, owner.gid);
    if (mode !== undefined) fchmodSync(fd, mode);
    return true;
  } finally {
    closeSync(fd);
  }
}

/** The folder of managed homes, when it belonged to whoever ran the engine before; the homes stay theirs. */
function ownHomes(directory: string, before: Stats): boolean {
  const place = join(directory, homes);
  const found = lstatSync(place, { throwIfNoEntry: false });
  if (found?.isDirectory() !== true || found.uid !== before.uid) return false;
  const fd = openFolder(place);
  try {
    fchownSync(fd, root.uid, root.gid);
    fchmodSync(fd, 0o711);
    return true;
  } finally {
    closeSync(fd);
  }
}

const isOwned = (found: Stats, { uid, gid }: Owner): boolean =>
  found.uid === uid && found.gid === gid;

const quote = (names: readonly string[]): string =>
  `${JSON.stringify(names[0])}${names.length > 1 ? ` and ${names.length - 1} more` : ''}`;

const refusal = (place: string, why: string): Error =>
  new Error(
    `${place} ${why}: give Waybill a data directory of its own (--data), or clear this one`,
  );
