/** The checks before anything is read in a home: qmail-local's chdir and its two refusals. */
import { dirname } from 'node:path';
import { chownSync } from 'node:fs';
import type { Owner } from '../../aliases/owner.ts';
import { errnoOf, errorWords } from '../../platform/errno.ts';
import { makeLastingFolder } from '../../platform/sync-path.ts';
import type { FileCalls } from './file-calls.ts';
import { defer, type Halt } from './halt.ts';
import type { Identity, Who } from './identity.ts';

/** Others may write. */
export const writableByOthers = 0o002;
const sticky = 0o1000;

/** The one halt that is a warning to `qmail-local -n`. */
export const stickyHome = defer(
  'Home directory is sticky: user is editing his .qmail file. (#4.2.1)',
);

/** With the owner's rights; a managed home that is missing gives `missing`. */
export function checkHome(
  files: FileCalls,
  { home, managed }: Owner,
): Halt | 'missing' | undefined {
  try {
    // The dot asks for what chdir would: that it is a directory, and that we may go in.
    const { mode } = files.statSync(`${home}/.`);
    if ((mode & writableByOthers) !== 0)
      return defer('Uh-oh: home directory is writable. (#4.7.0)');
    if ((mode & sticky) === 0) return undefined;
    return stickyHome;
  } catch (cause) {
    if (managed && errnoOf(cause) === 'ENOENT') return 'missing';
    return defer(`Unable to switch to ${home}: ${errorWords(cause)}. (#4.3.0)`);
  }
}

/** Makes a managed home with the engine's rights and gives it to its user; 0700, its parents 0711. */
export function makeHome(
  files: FileCalls,
  home: string,
  who: Who,
  { switches }: Identity,
): Halt | undefined {
  try {
    makeLastingFolder(dirname(home), 0o711);
    files.mkdirSync(home, { mode: 0o700 });
    if (switches) chownSync(home, who.uid, who.gid);
    return undefined;
  } catch (cause) {
    // Two first letters at once: the other one made it.
    if (errnoOf(cause) === 'EEXIST') return undefined;
    return defer(`Unable to make ${home}: ${errorWords(cause)}. (#4.3.0)`);
  }
}
