/** Reading and writing plain descriptors, whatever they are: file, pipe, socket, terminal. */
import { read, writeSync } from 'node:fs';
import { errnoOf } from '../../../platform/errno.ts';

const chunkBytes = 65_536;

/** Somebody has made the descriptor non-blocking, and nothing is there yet. */
const againMs = 10;

/** To the end, in pieces. Throws what the system says. */
export async function* readDescriptor(fd: number): AsyncGenerator<Buffer, void, undefined> {
  for (;;) {
    const buffer = Buffer.allocUnsafe(chunkBytes);
    const bytes = await readSome(fd, buffer);
    if (bytes === 0) return;
    if (bytes > 0) yield buffer.subarray(0, bytes);
    else await new Promise((resolve) => setTimeout(resolve, againMs));
  }
}

/** -1: not now. */
const readSome = (fd: number, buffer: Buffer): Promise<number> =>
  new Promise((resolve, reject) => {
    read(fd, buffer, 0, buffer.byteLength, null, (cause, bytes) => {
      if (cause === null) resolve(bytes);
      else if (errnoOf(cause) === 'EAGAIN') resolve(-1);
      // A pipe whose writer has gone says so on some systems.
      else if (errnoOf(cause) === 'EOF') resolve(0);
      else reject(cause);
    });
  });

/** All of it. Throws what the system says (`EPIPE`: nobody reads any more). */
export function writeDescriptor(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.byteLength;) {
    try {
      at += writeSync(fd, bytes, at, bytes.byteLength - at);
    } catch (cause) {
      if (errnoOf(cause) !== 'EAGAIN') throw cause;
      Atomics.wait(sleeper, 0, 0, againMs);
    }
  }
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));
