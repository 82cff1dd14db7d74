import { readFileSync } from 'node:fs';
import { errnoOf } from './errno.ts';

/** A whole file, `undefined` where there is none. All other errors as the system has them. */
export function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined;
    throw cause;
  }
}
