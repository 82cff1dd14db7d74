import { cdbBuilder } from '../../src/wire/cdb/builder.ts';

/** A whole database in memory, for one that is small. */
export function buildCdb(
  records: Iterable<readonly [key: Uint8Array, data: Uint8Array]>,
): Uint8Array {
  const builder = cdbBuilder();
  const pieces: Uint8Array[] = [];
  for (const [key, data] of records) pieces.push(...builder.add(key, data));
  pieces.push(...builder.tables());
  return Buffer.concat([builder.header(), ...pieces]);
}
