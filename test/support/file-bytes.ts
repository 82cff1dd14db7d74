/** Reaches into a file, as a dying disk would. */
import { readFileSync, writeFileSync } from 'node:fs';

/** Where `needle` stands in the file; throws unless it stands there `times` times, when that is said. */
export function placesOf(file: string, needle: string | Uint8Array, times?: number): number[] {
  const bytes = readFileSync(file);
  const places: number[] = [];
  for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + 1)) places.push(at);
  if (places.length !== (times ?? Math.max(1, places.length))) {
    throw new Error(`found ${places.length} times, not ${times ?? 'at all'}`);
  }
  return places;
}

export function changeByte(
  file: string,
  place: number,
  change = (byte: number) => byte ^ 0x20,
): void {
  const bytes = readFileSync(file);
  bytes[place] = change(bytes[place]!);
  writeFileSync(file, bytes);
}

/** Overwrites the whole page of `pageBytes` that `place` lies in. */
export function wipePage(file: string, place: number, pageBytes: number): void {
  const bytes = readFileSync(file);
  const start = place - (place % pageBytes);
  bytes.fill(0xa5, start, start + pageBytes);
  writeFileSync(file, bytes);
}
