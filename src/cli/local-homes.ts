/** Who has local mail by a configuration directory, as its files are now: for questions. Reads files, delivers nothing. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { assignDatabase } from '../aliases/assign-database.ts';
import { parseAssign } from '../aliases/assign.ts';
import { residents } from '../aliases/directory.ts';
import { diskDotQmail } from '../aliases/disk-dot-qmail.ts';
import { dotQmailNames } from '../aliases/dot-qmail-names.ts';
import type { Owner } from '../aliases/owner.ts';
import type { Config } from '../control/config.ts';
import { splitAddress } from '../mail/address.ts';
import { isTrouble } from '../mail/trouble.ts';
import type { Home, Homes } from '../what-if/ports.ts';

/** Longest part of an alias' file that is shown and compared. */
const shownText = 2_000;

/** Accounts of the machine are the same whatever the configuration says, and are not looked up. */
export function homesOf({ local, dataDir }: Config): Homes {
  const assignments = existsSync(local.users)
    ? parseAssign(readFileSync(local.users, 'utf8'), local.users)
    : undefined;
  const directory = residents({
    assignments: () => assignments,
    database: assignDatabase(join(dirname(local.users), 'cdb')),
    alias: () => ({ home: local.alias }),
    dataDirectory: dataDir,
    dotQmail: diskDotQmail,
  });
  return async (routed) => {
    try {
      const owner = await directory.ownerOf(splitAddress(routed).local);
      if (owner === undefined) return { user: 'nobody', home: '', ext: '', receives: true };
      // A home that is not there now may be a disk that is not mounted: its mail would wait.
      const receives = await unlessTrouble(directory.receives(routed));
      return toHome(owner, receives ?? true, local.alias);
    } catch (cause) {
      if (isTrouble(cause)) return undefined;
      throw cause;
    }
  };
}

const unlessTrouble = <T>(answer: Promise<T>): Promise<T | undefined> =>
  answer.catch((cause: unknown) => {
    if (isTrouble(cause)) return undefined;
    throw cause;
  });

function toHome({ by, user, home, ext, dash }: Owner, receives: boolean, alias: string): Home {
  const common = { user, ext, receives, ...(by === undefined ? {} : { by }) };
  if (home !== alias) return { ...common, home };
  return { ...common, home: 'alias', ...aliasFile(alias, dash, ext) };
}

function aliasFile(alias: string, dash: string, ext: string): Pick<Home, 'file' | 'text'> {
  const found = dotQmailNames(dash, ext).find(({ name }) => existsSync(join(alias, name)));
  if (found === undefined) return {};
  const { name } = found;
  try {
    const text = readFileSync(join(alias, name), 'utf8').slice(0, shownText);
    return { file: `alias/${name}`, text };
  } catch {
    // What we may not read counts as the same on both sides.
    return { file: `alias/${name}` };
  }
}
