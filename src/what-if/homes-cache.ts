/** Who lives where, asked once per address and remembered for a while: a walk meets the same few thousand again and again. */
import type { Address } from '../mail/envelope.ts';
import type { Home, TwoHomes } from './ports.ts';

export type KnownHomes = {
  /** Asks for those that are not known yet. */
  learn(addresses: Iterable<LocalPair>): Promise<void>;
  /** Of an address that was learnt last. */
  was(routed: Address): Home | undefined;
  wouldBe(routed: Address): Home | undefined;
};

/** The address as it was routed, and as it would be; either where it stays here. */
export type LocalPair = { readonly was?: Address; readonly wouldBe?: Address };

const mostKept = 50_000;

export function homesCache(homes: TwoHomes): KnownHomes {
  const was = new Map<Address, Home | undefined>();
  const wouldBe = new Map<Address, Home | undefined>();
  const ask = async (
    known: Map<Address, Home | undefined>,
    look: TwoHomes['was'],
    address: Address | undefined,
  ): Promise<void> => {
    if (address === undefined || known.has(address)) return;
    known.set(address, await look(address));
  };
  return {
    async learn(pairs) {
      for (const known of [was, wouldBe]) if (known.size > mostKept) known.clear();
      for (const pair of pairs) {
        await ask(was, homes.was, pair.was);
        await ask(wouldBe, homes.wouldBe, pair.wouldBe);
      }
    },
    was: (routed) => was.get(routed),
    wouldBe: (routed) => wouldBe.get(routed),
  };
}
