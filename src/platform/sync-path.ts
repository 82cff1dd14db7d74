import { closeSync, fsyncSync, openSync, type PathLike } from 'node:fs';

/**
 * Forces a file, or a directory's names, to disk: the name of a new file is as much part of it as its
 * bytes, and a power cut must not lose either.
 */
export function syncPath(path: PathLike): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
