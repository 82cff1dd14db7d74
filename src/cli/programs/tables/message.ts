/**
 * The letter on descriptor 0, to be read more than once: each program gets it from its start, and so does
 * the queue. A file is opened again; what else it may be is copied, but only once somebody needs it twice.
 */
import { closeSync, fstatSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDescriptor, writeDescriptor } from '../lib/descriptors.ts';

export interface Message {
  /** A descriptor of its own, at the letter's start; whoever asked closes it. */
  open(): Promise<number>;
  /** For the last reader of all. */
  chunks(): AsyncIterable<Uint8Array>;
  close(): void;
}

export function openMessage(fd = 0): Message {
  let path = reopenable(fd) ? pathOf(fd) : undefined;
  let copy: Copy | undefined;

  async function* again(from: string): AsyncGenerator<Uint8Array> {
    const own = openSync(from, 'r');
    try {
      yield* readDescriptor(own);
    } finally {
      closeSync(own);
    }
  }

  return {
    async open() {
      if (path === undefined) {
        copy = await copyOf(fd);
        path = copy.path;
      }
      return openSync(path, 'r');
    },
    chunks: () => (path === undefined ? readDescriptor(fd) : again(path)),
    close: () => copy?.remove(),
  };
}

const pathOf = (fd: number): string => `/proc/self/fd/${fd}`;

/** Whether it is a file that we may open a second time: it may be one that only our caller can read. */
function reopenable(fd: number): boolean {
  if (!fstatSync(fd).isFile()) return false;
  try {
    closeSync(openSync(pathOf(fd), 'r'));
    return true;
  } catch {
    return false;
  }
}

type Copy = { readonly path: string; remove(): void };

/** Where it can be, the copy has no name any more, so that nothing of it stays when we are stopped. */
async function copyOf(fd: number): Promise<Copy> {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-letter-'));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  const path = join(directory, 'letter');
  const own = openSync(path, 'wx+', 0o600);
  try {
    for await (const chunk of readDescriptor(fd)) writeDescriptor(own, chunk);
  } catch (cause) {
    remove();
    throw cause;
  }
  if (!reopenable(own)) return { path, remove };
  remove();
  return { path: pathOf(own), remove: () => closeSync(own) };
}
