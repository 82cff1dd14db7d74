/** Sets and maps whose keys ignore the case of A to Z, as qmail's constmap does. */
import { asciiLower } from '../mail/address.ts';

export class FoldedSet extends Set<string> {
  override has(entry: string): boolean {
    return super.has(asciiLower(entry));
  }
  override add(entry: string): this {
    return super.add(asciiLower(entry));
  }
}

/** A key set twice keeps its last value: the last line of a control file wins. */
export class FoldedMap<V> extends Map<string, V> {
  override get(key: string): V | undefined {
    return super.get(asciiLower(key));
  }
  override has(key: string): boolean {
    return super.has(asciiLower(key));
  }
  override set(key: string, value: V): this {
    return super.set(asciiLower(key), value);
  }
}
