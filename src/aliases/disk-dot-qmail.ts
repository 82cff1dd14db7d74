/**
 * Looks for dot-qmail files without opening them. For the role `local`, which answers for the doors; its calls
 * are synchronous because those of other threads might have a user's rights (delivery/local/identity.ts).
 */
import { statSync } from 'node:fs';
import { Trouble } from '../mail/trouble.ts';
import { errnoOf, isTemporary } from '../platform/errno.ts';
import type { DotQmailSearch } from './directory.ts';
import type { DotQmailName } from './dot-qmail-names.ts';
import type { Owner } from './owner.ts';

export const diskDotQmail: DotQmailSearch = {
  async any(owner, names) {
    const home = look(owner.home);
    if (home === 'hidden') return true;
    if (home === 'missing') return missingHome(owner);
    return anyFile(owner.home, names);
  },
};

function anyFile(home: string, names: readonly DotQmailName[]): boolean {
  for (const { name } of names) {
    const found = look(`${home}/${name}`);
    // Mail for a user whose home we may not see is taken, as qmail does; the delivery will know.
    if (found === 'file' || found === 'hidden') return true;
  }
  return false;
}

/** A managed home is made with the first letter; any other is a mount or a mistake, and may come back. */
function missingHome({ managed }: Owner): false {
  if (managed) return false;
  throw new Trouble('busy', { tryAgain: true, peer: 'Unable to switch to home. (#4.3.0)' });
}

/** `missing` is all that qmail-local would pass over: absent, unreachable, or no regular file. */
function look(path: string): 'file' | 'other' | 'missing' | 'hidden' {
  try {
    return statSync(path).isFile() ? 'file' : 'other';
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === 'EACCES' || errno === 'EPERM') return 'hidden';
    if (!isTemporary(cause)) return 'missing';
    throw new Trouble('busy', {
      tryAgain: true,
      peer: 'Unable to look for the user. (#4.3.0)',
      cause,
    });
  }
}
