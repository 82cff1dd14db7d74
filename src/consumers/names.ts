/** Names of consumers, and where their files lie. */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../platform/errno.ts';

/** Below the data directory. */
export const consumersFolder = 'consumers';

/** Also a file's name: no dots, so that it never is one of the files beside it. */
export const isConsumerName = (name: string): boolean =>
  /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(name);

/** Those that have a position or are held just now, by name. */
export function consumerNames(directory: string): readonly string[] {
  try {
    return readdirSync(directory).filter(isConsumerName).sort();
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return [];
    throw cause;
  }
}

/** Throws `RangeError` for what is no name: it becomes a path. */
export const consumerFile = (directory: string, name: string): string => {
  if (!isConsumerName(name))
    throw new RangeError('no name for a consumer: letters, digits, - and _');
  return join(directory, name);
};

export const lockOf = (file: string): string => `${file}.lock`;

export function makeConsumersFolder(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
}
