/** A quick look whether all of a database is there: its header and the places of its tables, no record. */
import { headerBytes, pairBytes, readPair, tableCount } from './layout.ts';
import { CdbDamage, type ByteSource } from './reader.ts';

/** Throws `CdbDamage` for a file that was cut short or never was a database. */
export function inspectCdb({ size, read }: ByteSource): void {
  if (size < headerBytes) throw new CdbDamage('the header is cut short');
  const header = read(0, headerBytes);
  for (let table = 0; table < tableCount; table += 1) {
    const [position, slots] = readPair(header, table * pairBytes);
    if (slots > 0 && (position < headerBytes || position + slots * pairBytes > size)) {
      throw new CdbDamage('a hash table lies outside the file');
    }
  }
}
