/**
 * Looks keys up in a cdb without loading it: a look-up reads a pair of the header, a slot or two, and
 * the record. Every position and length is checked against the file's size, so that a broken file is an
 * error and never a wrong answer; `CdbDamage` then says what is wrong with it.
 */
import { cdbHash } from './hash.ts';
import { headerBytes, pairBytes, readPair, tableCount } from './layout.ts';

/** The bytes of a database, wherever they lie. */
export interface ByteSource {
  /** In bytes; may not change while it is read. */
  readonly size: number;
  /** Exactly `length` bytes; never asked for what lies outside. */
  read(position: number, length: number): Uint8Array;
}

export type CdbRecord = { readonly key: Uint8Array; readonly data: Uint8Array };

export type Cdb = {
  /** The data of the first record with this key, in the order they were written. */
  get(key: Uint8Array): Uint8Array | undefined;
  /** The data of all records with this key, in that order. */
  getAll(key: Uint8Array): Generator<Uint8Array>;
  /** Everything, in the order it was written. */
  records(): Generator<CdbRecord>;
};

/** The file is no cdb, or not all of one. */
export class CdbDamage extends Error {
  constructor(what: string) {
    super(`not a valid cdb: ${what}`);
    this.name = 'CdbDamage';
  }
}

export const openCdb = (source: ByteSource): Cdb => ({
  get: (key) => find(source, key).next().value ?? undefined,
  getAll: (key) => find(source, key),
  records: () => everything(source),
});

/** Bytes in memory as a source. */
export const bytesAsSource = (bytes: Uint8Array): ByteSource => ({
  size: bytes.length,
  read: (position, length) => bytes.subarray(position, position + length),
});

function* find(source: ByteSource, key: Uint8Array): Generator<Uint8Array, undefined> {
  const hash = cdbHash(key);
  const [table, slots] = pairAt(source, (hash % tableCount) * pairBytes, 'header');
  // An empty table may point anywhere.
  if (slots === 0) return;
  if (table < headerBytes || table + slots * pairBytes > source.size) {
    throw new CdbDamage('a hash table lies outside the file');
  }
  let slot = Math.floor(hash / tableCount) % slots;
  for (let probes = 0; probes < slots; probes += 1) {
    const [slotHash, position] = pairAt(source, table + slot * pairBytes, 'hash table');
    if (position === 0) return;
    if (slotHash === hash) {
      const data = dataOf(source, position, key);
      if (data !== undefined) yield data;
    }
    slot = slot + 1 === slots ? 0 : slot + 1;
  }
}

/** The data of a record, if this is its key. */
function dataOf(source: ByteSource, position: number, key: Uint8Array): Uint8Array | undefined {
  const { keyLength, dataLength } = lengthsAt(source, position, source.size);
  if (keyLength !== key.length) return undefined;
  const start = position + pairBytes;
  const found = source.read(start, keyLength);
  if (!found.every((byte, index) => byte === key[index])) return undefined;
  return source.read(start + keyLength, dataLength);
}

/** The records end where the first hash table begins. */
function* everything(source: ByteSource): Generator<CdbRecord> {
  const [end] = pairAt(source, 0, 'header');
  if (end < headerBytes || end > source.size) throw new CdbDamage('the records have no end');
  let position = headerBytes;
  while (position < end) {
    const { keyLength, dataLength } = lengthsAt(source, position, end);
    const keyAt = position + pairBytes;
    const key = source.read(keyAt, keyLength);
    const data = source.read(keyAt + keyLength, dataLength);
    yield { key, data };
    position = keyAt + keyLength + dataLength;
  }
}

function lengthsAt(
  source: ByteSource,
  position: number,
  end: number,
): { readonly keyLength: number; readonly dataLength: number } {
  if (position < headerBytes) throw new CdbDamage('a record lies in the header');
  if (position + pairBytes > end) throw new CdbDamage('a record lies outside the file');
  const [keyLength, dataLength] = readPair(source.read(position, pairBytes));
  if (position + pairBytes + keyLength + dataLength > end) {
    throw new CdbDamage('a record is longer than the file');
  }
  return { keyLength, dataLength };
}

function pairAt(source: ByteSource, position: number, where: string): readonly [number, number] {
  if (position + pairBytes > source.size) throw new CdbDamage(`the ${where} is cut short`);
  return readPair(source.read(position, pairBytes));
}
