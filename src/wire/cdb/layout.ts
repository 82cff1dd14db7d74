/**
 * A constant database, byte by byte (cdb(5)); every number is 32 bits, little-endian:
 *
 *     0      256 × (position of a hash table, its slots)
 *     2048   records: length of key, length of data, key, data
 *     then   256 hash tables of slots (hash, position of the record); position 0: empty
 *
 * A key's table is its hash modulo 256; its probe begins at slot (hash / 256) modulo slots.
 */
export const tableCount = 256;
/** A pair of numbers: an entry of the header, the lengths before a record, a slot. */
export const pairBytes = 8;
export const headerBytes = tableCount * pairBytes;
/** The file must end where 32 bits can still point. */
export const largestCdb = 2 ** 32 - 1;

/** Two numbers as they lie in the file. */
export function writePair(first: number, second: number): Uint8Array {
  const bytes = new Uint8Array(pairBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, first, true);
  view.setUint32(4, second, true);
  return bytes;
}

export function readPair(bytes: Uint8Array, offset = 0): readonly [number, number] {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, pairBytes);
  return [view.getUint32(0, true), view.getUint32(4, true)];
}
