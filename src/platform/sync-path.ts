import { spawnSync } from 'node:child_process';
import { closeSync, fsyncSync, mkdirSync, openSync, type PathLike } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { errnoOf } from './errno.ts';

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

/**
 * Forces the name of a file or directory to disk, in the directory that holds it. Who may not read that one cannot open it,
 * and so not sync it; but whoever has something there may have its whole file system synced. Slower, for rare cases.
 */
export function syncNameOf(path: string): void {
  try {
    syncPath(dirname(resolve(path)));
  } catch (cause) {
    if (errnoOf(cause) !== 'EACCES') throw cause;
    const { status, error } = spawnSync('sync', ['-f', path], { stdio: 'ignore' });
    if (status === 0) return;
    // Somebody may have moved it meanwhile, and then it is his.
    if (spawnSync('sync', { stdio: 'ignore' }).status === 0) return;
    throw error ?? cause;
  }
}

/**
 * Makes a folder, and what is missing above it, so that a power cut takes none of them with all that is in it: each
 * new name is forced to disk.
 */
export function makeLastingFolder(path: string, mode: number): void {
  const first = mkdirSync(path, { recursive: true, mode });
  if (first === undefined) return;
  const above = dirname(resolve(first));
  for (let made = resolve(path); made !== above; made = dirname(made)) syncNameOf(made);
}
