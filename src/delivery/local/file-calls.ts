/** The calls to the file system that a delivery makes; a test may let one of them fail. */
import * as fs from 'node:fs';

export type FileCalls = Pick<
  typeof fs,
  | 'closeSync'
  | 'fsync'
  | 'fstatSync'
  | 'ftruncateSync'
  | 'utimesSync'
  | 'linkSync'
  | 'mkdirSync'
  | 'openSync'
  | 'readSync'
  | 'readdirSync'
  | 'renameSync'
  | 'statSync'
  | 'unlinkSync'
  | 'writeSync'
>;

export const systemFiles: FileCalls = fs;

/** Writes all of it, however many calls that takes. */
export function writeAll(files: FileCalls, fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) {
    done += files.writeSync(fd, bytes, done, bytes.length - done);
  }
}

/** Runs something synchronous with the rights of whose files they are. */
export type As = <T>(run: () => T) => T;

/** Forces a file to disk, off the loop: the one call here that waits for hardware. Needs no rights. */
export const sync = (files: FileCalls, fd: number): Promise<void> =>
  new Promise((resolve, reject) => {
    files.fsync(fd, (cause) => (cause === null ? resolve() : reject(cause)));
  });
