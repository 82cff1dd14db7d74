/**
 * The letter as a file without a name: what a program gets as its stdin. A file and not a pipe, because
 * programs may go back to its start (condredirect does), and may end before they have read it all.
 */
import { randomBytes } from 'node:crypto';
import { constants, fchownSync } from 'node:fs';
import { writeAll, type FileCalls } from './file-calls.ts';
import type { Letter } from './letter.ts';

export type ScratchParts = {
  readonly files: FileCalls;
  /** Absolute path of a directory for the moment between making the file and taking its name away. */
  readonly directory: string;
};

/** An open file, read from its start; the caller closes it. `owner`: may open it again as /dev/stdin. */
export async function scratchFile(
  { files, directory }: ScratchParts,
  letter: Letter,
  owner?: { readonly uid: number; readonly gid: number },
): Promise<number> {
  const path = `${directory}/waybill-${process.pid}-${randomBytes(8).toString('hex')}`;
  const { O_WRONLY, O_CREAT, O_EXCL, O_RDONLY, O_NOFOLLOW } = constants;
  const out = files.openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    // For reading only: a program must not write to what it is given.
    const fd = files.openSync(path, O_RDONLY | O_NOFOLLOW);
    try {
      files.unlinkSync(path);
      if (owner !== undefined) fchownSync(out, owner.uid, owner.gid);
      for await (const chunk of letter.chunks()) writeAll(files, out, chunk);
      return fd;
    } catch (cause) {
      files.closeSync(fd);
      throw cause;
    }
  } finally {
    files.closeSync(out);
  }
}
