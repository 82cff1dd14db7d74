/**
 * Users of the machine as mail users: the rules of qmail-getpw. For engines that run as root; an
 * unprivileged one could deliver to its own account only (`own-account.ts`).
 */
import { statSync } from 'node:fs';
import { asciiLower } from '../mail/address.ts';
import { isTemporary } from '../platform/errno.ts';
import type { Owner } from './owner.ts';

export type Account = {
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  /** Who owns the home directory; absent when there is none. */
  readonly homeOwner?: number;
};

/** The system's accounts. `temporary`: nobody can tell now, so neither deliver nor bounce. */
export interface Accounts {
  lookUp(name: string): Promise<Account | 'none' | 'temporary'>;
}

/**
 * Adds who owns the home, which decides whether it counts. Synchronous on purpose: a call of another thread
 * might have a user's rights (delivery/local/identity.ts).
 */
export function withHomeOwner(account: Omit<Account, 'homeOwner'>): Account | 'temporary' {
  try {
    return { ...account, homeOwner: statSync(account.home).uid };
  } catch (cause) {
    return isTemporary(cause) ? 'temporary' : account;
  }
}

/** Longest account name asked for, in bytes (GETPW_USERLEN). */
const longestName = 31;

/** A name that may own the local part, with what is left for the extension. */
export type Claim = { readonly name: string; readonly dash: '' | '-'; readonly ext: string };

/** The whole local part, then what stands before each dash, from the right. */
function claims(local: string): readonly Claim[] {
  const found: Claim[] = [{ name: asciiLower(local), dash: '', ext: '' }];
  for (
    let at = local.lastIndexOf('-');
    at >= 0;
    at = at === 0 ? -1 : local.lastIndexOf('-', at - 1)
  ) {
    found.push({ name: asciiLower(local.slice(0, at)), dash: '-', ext: local.slice(at + 1) });
  }
  return found.filter(({ name }) => name !== '' && bytesOf(name) <= longestName);
}

const bytesOf = (name: string): number => new TextEncoder().encode(name).length;

/** The first claim whose account is not root and owns its home. */
export async function accountOwner(
  local: string,
  accounts: Accounts,
): Promise<Owner | 'none' | 'temporary'> {
  for (const { name, dash, ext } of claims(local)) {
    const account = await accounts.lookUp(name);
    if (account === 'temporary') return 'temporary';
    if (account === 'none' || account.uid === 0 || account.homeOwner !== account.uid) continue;
    const { uid, gid, home } = account;
    return { user: name, by: `account ${name}`, uid, gid, home, dash, ext };
  }
  return 'none';
}
