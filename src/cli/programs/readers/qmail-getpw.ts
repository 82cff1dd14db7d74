/** qmail-getpw: which account a local part belongs to, by the rules that deliveries obey. */
import { accountOwner, type Accounts } from '../../../aliases/accounts.ts';
import type { Owner } from '../../../aliases/owner.ts';
import { exitNever } from '../../exit-codes.ts';
import type { Print } from '../lib/print.ts';
import type { Program } from '../lib/program.ts';

/** qmail-lspawn has words for each. */
const exits = { noAlias: 116, nobodyCanTell: 118 } as const;

/** `qmail-getpw local`: user, uid, gid, home, dash and extension, a NUL after each. */
export const qmailGetpw =
  ({ accounts, print }: { readonly accounts: Accounts; readonly print: Print }): Program =>
  async ({ args: [local] }) => {
    if (local === undefined) return exitNever;
    const owner = await accountOwner(local, accounts);
    if (owner === 'temporary') return exits.nobodyCanTell;
    if (owner !== 'none') return tell(owner, print);
    const alias = await accounts.lookUp('alias');
    if (alias === 'temporary') return exits.nobodyCanTell;
    if (alias === 'none') return exits.noAlias;
    return tell({ ...alias, user: 'alias', dash: '-', ext: local }, print);
  };

function tell({ user, uid, gid, home, dash, ext }: Owner, print: Print): number {
  print([user, uid, gid, home, dash, ext].map((field) => `${field}\0`).join(''));
  return 0;
}
