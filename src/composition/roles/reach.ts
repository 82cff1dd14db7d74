/**
 * Whether an account can walk down to a directory. Sockets and files are opened from the data directory
 * itself, wherever it lies; SQLite alone insists on whole paths, so the queue's account needs this.
 */
import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { rootIdentity, type Who } from '../../delivery/local/identity.ts';
import { errnoOf } from '../../platform/errno.ts';

/**
 * The first directory on the way to `directory` that `who` cannot enter; `undefined`: there is none, as
 * far as the way exists. Asks the kernel, so access lists count, too. For root, and not while anything
 * else runs.
 */
export function closedTo(who: Who, directory: string): string | undefined {
  const identity = rootIdentity({ uid: 0, gid: 0 });
  return wayTo(directory).find((place) => identity.as(who, () => !canEnter(place)));
}

/** Its ancestors, from the top; links are followed. */
function wayTo(directory: string): readonly string[] {
  const parent = dirname(directory);
  if (parent === directory) return [];
  if (!existsSync(directory)) return wayTo(parent).concat(existsSync(parent) ? [parent] : []);
  const real = dirname(realpathSync(directory));
  return real === dirname(real) ? [real] : [...wayTo(real), real];
}

function canEnter(directory: string): boolean {
  try {
    // The dot asks for what entering takes.
    statSync(`${directory}/.`);
    return true;
  } catch (cause) {
    if (errnoOf(cause) === 'EACCES') return false;
    throw cause;
  }
}
