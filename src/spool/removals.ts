/** Bodies that may go, removed in batches: one by one each would cost a transaction. */
import type { Spool } from './ports.ts';

export type Removals = {
  add(id: string): void;
  /** Removes what has been added; resolves when it is gone. Rejects as the spool does; nothing is forgotten. */
  flush(): Promise<void>;
};

/** Flushes by itself when so many have come together. */
export function removals(
  spool: Pick<Spool, 'remove'>,
  onTrouble: (cause: unknown) => void,
  most = 1_000,
): Removals {
  let waiting: string[] = [];
  const flush = async (): Promise<void> => {
    const ids = waiting;
    waiting = [];
    if (ids.length === 0) return;
    try {
      await spool.remove(ids);
    } catch (cause) {
      waiting = [...ids, ...waiting];
      throw cause;
    }
  };
  return {
    flush,
    add(id) {
      waiting.push(id);
      if (waiting.length % most === 0) flush().catch(onTrouble);
    },
  };
}
