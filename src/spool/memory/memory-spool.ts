/** Bodies in a map, for unit tests; shares the map of a `MemoryLog`, which carries inline bodies. */
import { bodyTrouble, refOf, refuseDamaged, refuseOddId } from '../checks.ts';
import { inlineBodyBytes, type BodyWriter, type Spool } from '../ports.ts';

export function memorySpool(bodies = new Map<string, Uint8Array>()): Spool {
  return {
    async stage(id, bytes) {
      refuseOddId(id);
      const ref = refOf(id, bytes);
      if (bytes.byteLength <= inlineBodyBytes) return { ref, inline: bytes };
      bodies.set(id, Uint8Array.from(bytes));
      return { ref };
    },
    async open(id): Promise<BodyWriter> {
      refuseOddId(id);
      const chunks: Uint8Array[] = [];
      return {
        id,
        write: async (chunk) => void chunks.push(Uint8Array.from(chunk)),
        async stage() {
          const bytes = Buffer.concat(chunks);
          bodies.set(id, bytes);
          return { ref: refOf(id, bytes) };
        },
        abandon: async () => void chunks.splice(0),
      };
    },
    async read(ref, offset = 0, length = ref.bytes) {
      refuseOddId(ref.id);
      const whole = bodies.get(ref.id);
      if (whole === undefined) {
        throw bodyTrouble('body-missing', `body ${ref.id} is not in the spool`);
      }
      const bytes = whole.subarray(offset, Math.min(offset + length, ref.bytes));
      refuseDamaged(ref, bytes, offset, length);
      return bytes;
    },
    async remove(ids) {
      ids.forEach(refuseOddId);
      for (const id of ids) bodies.delete(id);
    },
  };
}
