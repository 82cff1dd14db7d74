/**
 * Who lives here: from a local part to its owner (qmail-lspawn), and whether a letter would be taken.
 * Order: `users/assign`, then the system's accounts where they count, then the alias user.
 */
import { splitAddress, type AddressParts } from '../mail/address.ts';
import type { Address } from '../mail/envelope.ts';
import { Trouble } from '../mail/trouble.ts';
import { accountOwner, type Accounts } from './accounts.ts';
import { lookUp, type Assignment, type Assignments } from './assign.ts';
import { dotQmailNames, type DotQmailName } from './dot-qmail-names.ts';
import type { Owner } from './owner.ts';

/** Looks into homes on behalf of a door. */
export interface DotQmailSearch {
  /** Whether one of the files exists. Rejects with a `Trouble` when nobody can tell now. */
  any(owner: Owner, names: readonly DotQmailName[]): Promise<boolean>;
}

/** The user `alias`, who owns every address that nobody claims. */
export type AliasUser = {
  readonly home: string;
  readonly managed?: true;
  readonly uid?: number;
  readonly gid?: number;
};

export type DirectoryParts = {
  /** The assignments in force; absent: there is no `users/assign`. */
  readonly assignments: () => Assignments | undefined;
  readonly alias: () => AliasUser;
  /** Absolute path in which homes without `/` in front lie. */
  readonly dataDirectory: string;
  readonly dotQmail: DotQmailSearch;
  /** Only where the engine runs as root. */
  readonly accounts?: Accounts;
};

export type Residents = {
  /**
   * Whose mail the local part is; `undefined` for the empty one, which qmail accepts and drops.
   * Rejects with a `Trouble` whose `peer` is the text of the deferral.
   */
  ownerOf(local: string): Promise<Owner | undefined>;
  /** Whether anybody would receive it. Rejects when nobody can tell now. */
  receives(address: Address): Promise<boolean>;
};

export function residents(parts: DirectoryParts): Residents {
  async function ownerOf(local: string): Promise<Owner | undefined> {
    if (local === '') return undefined;
    const assigned = assignedTo(parts, local);
    if (assigned !== undefined) return assigned;
    if (parts.accounts === undefined) return aliasOwner(parts.alias(), local);
    const account = await accountOwner(local, parts.accounts);
    if (account === 'temporary') throw cannotTell('Temporary failure in qmail-lspawn.');
    return account === 'none' ? systemAlias(parts.alias(), local, parts.accounts) : account;
  }

  async function receives(address: Address): Promise<boolean> {
    const { local }: AddressParts = splitAddress(address);
    const owner = await ownerOf(local);
    // The bare user always has a place: without .qmail the default delivery is done.
    if (owner === undefined || owner.dash === '') return true;
    return parts.dotQmail.any(owner, dotQmailNames(owner.dash, owner.ext));
  }

  return { ownerOf, receives };
}

function assignedTo(
  { assignments, dataDirectory }: DirectoryParts,
  local: string,
): Owner | undefined {
  const table = assignments();
  const found = table && lookUp(table, local);
  return found && { ...found, ...placeOf(found, dataDirectory) };
}

const placeOf = ({ home }: Assignment, dataDirectory: string): Pick<Owner, 'home' | 'managed'> =>
  home.startsWith('/') ? { home } : { home: `${dataDirectory}/${home}`, managed: true };

const aliasOwner = (alias: AliasUser, local: string): Owner => ({
  user: 'alias',
  ...alias,
  dash: '-',
  ext: local,
});

/** As root, aliases are delivered to as the account `alias`, unless the settings name a user. */
async function systemAlias(alias: AliasUser, local: string, accounts: Accounts): Promise<Owner> {
  if (alias.uid !== undefined) return aliasOwner(alias, local);
  const account = await accounts.lookUp('alias');
  if (account === 'temporary') throw cannotTell('Temporary failure in qmail-lspawn.');
  if (account === 'none') throw cannotTell('Unable to find alias user!');
  const { uid, gid } = account;
  return aliasOwner({ ...alias, uid, gid }, local);
}

const cannotTell = (peer: string): Trouble => new Trouble('busy', { tryAgain: true, peer });
