/**
 * Bodies on their way through: the young and small ones stay in memory, so that a letter that goes
 * straight through is never read back from the spool. Bounded in bytes; forgetting is harmless.
 */
import type { BodyRef } from '../mail/envelope.ts';
import { inlineBodyBytes, type Spool } from '../spool/ports.ts';
import { checkedPieces } from './checked-pieces.ts';
import type { BodySource } from './ports.ts';

export interface Bodies {
  /** Remembers a body that is just being accepted. */
  keep(ref: BodyRef, bytes: Uint8Array): void;
  forget(id: string): void;
  /** The body as a channel wants it; small ones are read at once. */
  source(ref: BodyRef): Promise<BodySource>;
}

type Young = { readonly sha256: string; readonly bytes: Uint8Array };

export function openBodies(spool: Spool, limitBytes = 8 * 1024 * 1024): Bodies {
  const young = new Map<string, Young>();
  let bytesKept = 0;

  const forget = (id: string): void => {
    const kept = young.get(id);
    if (kept === undefined) return;
    young.delete(id);
    bytesKept -= kept.bytes.byteLength;
  };
  /** Only what the log says it is: whoever accepts a letter a second time may bring another body. */
  const remembered = ({ id, sha256 }: BodyRef): Uint8Array | undefined => {
    const kept = young.get(id);
    return kept?.sha256 === sha256 ? kept.bytes : undefined;
  };
  return {
    forget,
    keep({ id, sha256 }, bytes) {
      forget(id);
      // When there is no room it is the last that stays out: the others have their turn before it.
      if (bytesKept + bytes.byteLength > limitBytes) return;
      // A copy: the original is a window on a much larger buffer of the link.
      young.set(id, { sha256, bytes: new Uint8Array(bytes) });
      bytesKept += bytes.byteLength;
    },
    async source(ref) {
      if (ref.bytes > inlineBodyBytes) {
        const read = (offset: number, length: number) => spool.read(ref, offset, length);
        return { ref, read: () => checkedPieces(ref, read) };
      }
      const inline = remembered(ref) ?? (await spool.read(ref));
      return { ref, inline, read: () => once(inline) };
    },
  };
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
