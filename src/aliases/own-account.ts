/** For an engine that is not root: of all accounts only its own counts, for it can write nobody else's mail. */
import type { Accounts } from './accounts.ts';

export const ownAccountOf = (uid: number, all: Accounts): Accounts => ({
  async lookUp(name) {
    const found = await all.lookUp(name);
    return typeof found === 'object' && found.uid !== uid ? 'none' : found;
  },
});
