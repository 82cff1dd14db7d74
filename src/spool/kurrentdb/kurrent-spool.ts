/**
 * Bodies in the event store itself: nothing more to set up, and as durable as the events. Every byte is kept
 * on every node until a scavenge after the removal: beyond some 10 GB a day a shared directory is better.
 *
 * A small body is written by the append that names it, before its event: `carry`.
 */
import { AppendLanes } from '../../log/kurrentdb/append-lanes.ts';
import type { Connection } from '../../log/kurrentdb/connection.ts';
import { limitMs, patienceMs } from '../../log/kurrentdb/patience.ts';
import { surely, type Patience } from '../../log/kurrentdb/surely.ts';
import { faultOf, toTrouble } from '../../log/kurrentdb/what-went-wrong.ts';
import { refOf, refuseDamaged, refuseOddId } from '../checks.ts';
import { inlineBodyBytes, type Spool, type StagedBody } from '../ports.ts';
import { ChunkReader } from './chunk-reader.ts';
import { bodyStream, newMaking } from './chunk-shape.ts';
import { openChunks } from './chunk-writer.ts';

export type KurrentSpool = Spool & {
  /** Resolves when a small body is durable. Asked again with the same staged body it writes nothing more. */
  carry(staged: StagedBody): Promise<void>;
};

const removalsAtOnce = 16;

/** `connection`: of its own, for large bodies would hold up the events; whoever made it closes it. */
export function kurrentSpool(
  connection: Connection,
  patience: Patience = { limitMs: limitMs.read, patienceMs: patienceMs.engine },
): KurrentSpool {
  const caller = new AppendLanes([connection]);
  const outage = { since: undefined };
  const parts = { caller, patience: { ...patience, outage }, budget: { bytes: 0 } };
  const reader = new ChunkReader(connection, patience);
  /** What was staged here, and has been carried or has the name under which it will be. */
  const makings = new WeakMap<StagedBody, { readonly name: string; isDurable: boolean }>();

  const remove = async (id: string): Promise<void> => {
    reader.forget(id);
    try {
      await surely(connection, 'a removal', patience, (client) =>
        client.deleteStream(bodyStream(id)),
      );
    } catch (cause) {
      // Gone is gone, whoever did it.
      if (['stream-not-found', 'stream-deleted', 'conflict'].includes(faultOf(cause))) return;
      throw toTrouble(`removing ${bodyStream(id)}`, cause);
    }
  };
  return {
    async stage(id, bytes) {
      refuseOddId(id);
      if (bytes.byteLength <= inlineBodyBytes) return { ref: refOf(id, bytes), inline: bytes };
      const writer = openChunks(id, parts);
      await writer.write(bytes);
      return writer.stage();
    },
    async open(id) {
      refuseOddId(id);
      return openChunks(id, parts);
    },
    async carry(staged) {
      const making = makings.get(staged) ?? { name: newMaking(), isDurable: false };
      makings.set(staged, making);
      if (staged.inline === undefined || making.isDurable) return;
      const writer = openChunks(staged.ref.id, parts, making.name);
      await writer.write(staged.inline);
      await writer.stage();
      making.isDurable = true;
    },
    async read(ref, offset = 0, length = ref.bytes) {
      refuseOddId(ref.id);
      const bytes = await reader.read(ref, offset, length);
      refuseDamaged(ref, bytes, offset, length);
      return bytes;
    },
    async remove(ids) {
      ids.forEach(refuseOddId);
      const waiting = [...ids];
      const hand = async (): Promise<void> => {
        for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) await remove(id);
      };
      await Promise.all(Array.from({ length: removalsAtOnce }, hand));
    },
  };
}
