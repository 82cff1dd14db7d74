/**
 * Who is at the other end of a local socket, in the kernel's words. Node cannot ask for a socket's
 * credentials (SO_PEERCRED), but the owner of a file is the kernel's word, too: the caller is given a
 * name and a word that nobody else knows, and makes a symbolic link of that name to that word in a
 * directory where everybody may make files (mode 1733, like /tmp, but nobody may look around). Whose
 * link it is has called.
 *
 * A link and no plain file: programs that run as somebody else can be talked into writing a file to a
 * place of the caller's choice, hardly into making a link to a word of its choice. An older link of
 * somebody else's has the wrong word; the sticky bit keeps others from renaming or removing it. Root
 * alone can make a link in another's name, and root may send mail as anybody.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Challenge } from './meet-challenge.ts';

export interface LocalCallers {
  challenge(): Challenge;
  /** The caller's numeric user, or `undefined` when the challenge was not met. The link is removed. */
  uidOf(challenge: Challenge): number | undefined;
  /** Removes a link that nobody asks for any more. */
  forget(challenge: Challenge): void;
}

/** `directory` is made, and emptied of what a stop left there. */
export function linkCallers(directory: string): LocalCallers {
  makeDirectory(directory);
  const remove = (path: string) => attempt(() => rmSync(path, { force: true, recursive: true }));
  return {
    challenge: () => ({ path: join(directory, random()), word: random() }),
    uidOf({ path, word }) {
      try {
        const { uid, nlink } = lstatSync(path);
        // Not a link: readlink throws.
        return nlink === 1 && readlinkSync(path) === word ? uid : undefined;
      } catch {
        return undefined;
      } finally {
        remove(path);
      }
    },
    forget: ({ path }) => remove(path),
  };
}

const random = (): string => randomBytes(16).toString('hex');

/** Everybody may make a file in it and nobody may list it or touch another's. */
const mode = 0o1733;

function makeDirectory(directory: string): void {
  const found = lstatSync(directory, { throwIfNoEntry: false });
  // One that another user made, or a link to elsewhere, is theirs to change.
  if (found !== undefined && (!found.isDirectory() || found.uid !== process.geteuid?.())) {
    rmSync(directory, { force: true, recursive: true });
  }
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(directory)) {
    attempt(() => rmSync(join(directory, name), { force: true, recursive: true }));
  }
  chmodSync(directory, mode);
}

/** Somebody may have put a folder with files of their own there: it lies, and harms nobody. */
function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // Left lying.
  }
}
