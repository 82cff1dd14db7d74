/**
 * Makes the bytes of a cdb, as cdb_make does, to the byte: records in the order they are added, then
 * the hash tables, and the header last, since only then it is known. Keeps 8 bytes per record in memory.
 */
import { cdbHash } from './hash.ts';
import { headerBytes, largestCdb, pairBytes, tableCount, writePair } from './layout.ts';

export type CdbBuilder = {
  /** The pieces of one record, to be written one after the other; the first one goes to `headerBytes`. */
  add(key: Uint8Array, data: Uint8Array): readonly Uint8Array[];
  /** The hash tables, which follow the last record. */
  tables(): Generator<Uint8Array>;
  /** Goes to the start of the file, once the tables are written. */
  header(): Uint8Array;
};

/** The database would need positions of more than 32 bits. */
export class CdbFull extends Error {
  constructor() {
    super('a cdb cannot be larger than 4 gigabytes');
    this.name = 'CdbFull';
  }
}

/** `add` throws `CdbFull` beyond 4 GiB, where 32 bits cannot point. */
export function cdbBuilder(): CdbBuilder {
  /** Per table, hash and position of each record in turn. */
  const entries: number[][] = Array.from({ length: tableCount }, () => []);
  const header = new Uint8Array(headerBytes);
  let end = headerBytes;

  function grow(bytes: number): void {
    if (end + bytes > largestCdb) throw new CdbFull();
    end += bytes;
  }

  return {
    add(key, data) {
      const hash = cdbHash(key);
      const position = end;
      grow(pairBytes + key.length + data.length);
      entries[hash % tableCount]!.push(hash, position);
      return [writePair(key.length, data.length), key, data];
    },
    *tables() {
      for (const [number, table] of entries.entries()) {
        header.set(writePair(end, table.length), number * pairBytes);
        const slots = toSlots(table);
        grow(slots.length);
        if (slots.length > 0) yield slots;
      }
    },
    header: () => header,
  };
}

/** Twice as many slots as records; a taken one sends a record on to the next that is free. */
function toSlots(table: readonly number[]): Uint8Array {
  // The list holds two numbers for each record, so its length is the number of slots already.
  const slots = table.length;
  const bytes = new Uint8Array(slots * pairBytes);
  const view = new DataView(bytes.buffer);
  for (let entry = 0; entry < table.length; entry += 2) {
    const hash = table[entry]!;
    let slot = Math.floor(hash / tableCount) % slots;
    while (view.getUint32(slot * pairBytes + 4, true) !== 0) slot = (slot + 1) % slots;
    view.setUint32(slot * pairBytes, hash, true);
    view.setUint32(slot * pairBytes + 4, table[entry + 1]!, true);
  }
  return bytes;
}
