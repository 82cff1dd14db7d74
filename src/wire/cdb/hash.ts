/** The hash of cdb(5), 32 bits unsigned: 5381, then for each byte times 33, exclusive-or the byte. */
export function cdbHash(key: Uint8Array): number {
  let hash = 5381;
  for (const byte of key) hash = ((hash << 5) + hash) ^ byte;
  return hash >>> 0;
}
