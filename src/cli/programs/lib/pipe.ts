/**
 * A pipe of the kernel's. What node makes for `stdio: 'pipe'` is a socket, and a program that opens
 * /dev/stdin is refused there.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync, write } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errnoOf } from '../../../platform/errno.ts';

export type Pipe = { readonly reader: number; readonly writer: number };

/** Both ends, for the caller to close. Throws what the system says. */
export function openPipe(): Pipe {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-pipe-'));
  try {
    const path = join(directory, 'pipe');
    const { error, status } = spawnSync('mkfifo', [path], { stdio: 'ignore' });
    if (error !== undefined) throw error;
    if (status !== 0) throw new Error(`mkfifo: exit ${status}`);
    return openEnds(path);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Opened for one direction only, each end would wait for the other. */
function openEnds(path: string): Pipe {
  const both = openSync(path, constants.O_RDWR);
  try {
    return {
      reader: openSync(path, constants.O_RDONLY),
      writer: openSync(path, constants.O_WRONLY),
    };
  } finally {
    closeSync(both);
  }
}

/** All of it, without holding us up. Rejects with what the system says (`EPIPE`: nobody reads any more). */
export async function writeToPipe(fd: number, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength;) at += await writeSome(fd, bytes, at);
}

/** All of them, or until nobody reads any more; closes the pipe then. */
export async function pourIntoPipe(fd: number, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const piece of pieces) await writeToPipe(fd, piece);
  } catch (cause) {
    if (errnoOf(cause) !== 'EPIPE') throw cause;
  } finally {
    closeSync(fd);
  }
}

const writeSome = (fd: number, bytes: Uint8Array, at: number): Promise<number> =>
  new Promise((resolve, reject) => {
    write(fd, bytes, at, bytes.byteLength - at, null, (cause, written) =>
      cause === null ? resolve(written) : reject(cause),
    );
  });
