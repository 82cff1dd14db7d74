/**
 * Who lives here: from a local part to its owner (qmail-lspawn), and whether a letter would be taken.
 * Order: `users/cdb` or else `users/assign`, then the system's accounts where they count, then the alias user.
 */
import { splitAddress, type AddressParts } from '../mail/address.ts';
import type { Address } from '../mail/envelope.ts';
import { Trouble } from '../mail/trouble.ts';
import { accountOwner, type Accounts } from './accounts.ts';
import type { FindAssigned } from './assign-database.ts';
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
  /** `users/cdb`: where there is one, the assignments do not count. Throws when it cannot be read. */
  readonly database?: () => FindAssigned | undefined;
  /** `undefined`: the machine has no such account, and mail that nobody claims waits. */
  readonly alias: () => AliasUser | undefined;
  /** Absolute path in which homes without `/` in front lie. */
  readonly dataDirectory: string;
  readonly dotQmail: DotQmailSearch;
  /** Absent: nobody but those assigned. */
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
    const account = parts.accounts && (await accountOwner(local, parts.accounts));
    if (account === 'temporary') throw cannotTell('Temporary failure in qmail-lspawn.');
    return account === undefined || account === 'none' ? aliasOwner(parts.alias(), local) : account;
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

function assignedTo(parts: DirectoryParts, local: string): Owner | undefined {
  const found = findAssignment(parts, local);
  return found && { ...found, ...placeOf(found, parts.dataDirectory) };
}

function findAssignment(
  { assignments, database }: DirectoryParts,
  local: string,
): Assignment | undefined {
  try {
    const find = database?.();
    if (find !== undefined) {
      const found = find(local);
      return found && { ...found, by: 'users/cdb' };
    }
  } catch (cause) {
    throw cannotTell('Trouble reading users/cdb in qmail-lspawn.', cause);
  }
  const table = assignments();
  return table && lookUp(table, local);
}

const placeOf = ({ home }: Assignment, dataDirectory: string): Pick<Owner, 'home' | 'managed'> =>
  home.startsWith('/') ? { home } : { home: `${dataDirectory}/${home}`, managed: true };

function aliasOwner(alias: AliasUser | undefined, local: string): Owner {
  if (alias === undefined) throw cannotTell('Unable to find alias user!');
  return { user: 'alias', by: 'alias', ...alias, dash: '-', ext: local };
}

const cannotTell = (peer: string, cause?: unknown): Trouble =>
  new Trouble('busy', { tryAgain: true, peer, cause });
