/** Whether whoever called us left a standard descriptor closed. */
import { fstatSync, readFileSync, statSync } from 'node:fs';

/** `O_RDWR` among the access bits of a descriptor's flags. */
const accessBits = 3;
const readAndWrite = 2;

/**
 * Node opens /dev/null, to read and to write, in place of a descriptor 0, 1 or 2 that is closed: a letter from
 * there would be an empty one. Where the system does not say how a descriptor was opened: `false`.
 */
export function wasClosed(descriptor: number): boolean {
  try {
    if (fstatSync(descriptor).rdev !== statSync('/dev/null').rdev) return false;
    const text = readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1');
    const flags = Number.parseInt(/^flags:\s*(\d+)/m.exec(text)?.[1] ?? '0', 8);
    return (flags & accessBits) === readAndWrite;
  } catch {
    return false;
  }
}
