/** Looks for the dot-qmail file of an extension and reads it, with the owner's rights (qmail-local qmesearch). */
import { constants } from 'node:fs';
import { dotQmailNames, safeExt, type DotQmailName } from '../../aliases/dot-qmail-names.ts';
import type { Owner } from '../../aliases/owner.ts';
import { errnoOf, errorWords, isTemporary } from '../../platform/errno.ts';
import type { FileCalls } from './file-calls.ts';
import { defer, fail, type Halt } from './halt.ts';
import { writableByOthers } from './home.ts';
import type { OwnerFiles } from './new-sender.ts';
import { decodeRaw } from './raw-text.ts';

export type DotQmail = {
  /** The file's name in the home, or `default delivery`. */
  readonly name: string;
  /** What to do; the default delivery where the file is empty. */
  readonly text: string;
  /** The x bit: forwards only. */
  readonly forwardOnly: boolean;
  readonly rest?: string;
};

export type Found = DotQmail | { readonly halt: Halt };

const executable = 0o100;
/** 100,000 addresses. It is read at once, by the one process that serves all users. */
const largestBytes = 4 * 1024 * 1024;
const pieceBytes = 64 * 1024;

/** `halt` for what is nobody's fault (deferred) or has no mailbox (failed). A file above 4 MiB halts, too. */
export function findDotQmail(
  files: FileCalls,
  { home, dash, ext }: Owner,
  defaultDelivery: string,
): Found {
  for (const candidate of dotQmailNames(dash, ext)) {
    const found = readCandidate(files, home, candidate, defaultDelivery);
    if (found !== undefined) return found;
  }
  if (dash === '') return byDefault(defaultDelivery);
  return { halt: fail('Sorry, no mailbox here by that name. (#5.1.1)') };
}

const byDefault = (text: string): DotQmail => ({
  ...{ name: 'default delivery', text, forwardOnly: false },
});

/** `undefined`: not this one, try the next. */
function readCandidate(
  files: FileCalls,
  home: string,
  { name, rest }: DotQmailName,
  defaultDelivery: string,
): Found | undefined {
  let fd: number | undefined;
  try {
    const path = `${home}/${name}`;
    // Most letters find none, and an exception costs five times as much as this.
    if (files.statSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
    // Without O_NONBLOCK a fifo of that name would hold up all local mail.
    fd = files.openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = files.fstatSync(fd);
    if (!stat.isFile()) return undefined;
    if ((stat.mode & writableByOthers) !== 0) {
      return { halt: defer('Uh-oh: .qmail file is writable. (#4.7.0)') };
    }
    const bytes = stat.size > largestBytes ? undefined : readWhole(files, fd);
    if (bytes === undefined) return { halt: defer('Uh-oh: .qmail file is too large. (#4.3.0)') };
    const text = decodeRaw(bytes);
    const matched = rest === undefined ? {} : { rest };
    if (text === '') return { ...byDefault(defaultDelivery), ...matched };
    return { name, text, forwardOnly: (stat.mode & executable) !== 0, ...matched };
  } catch (cause) {
    return mayExist(cause) ? { halt: unableToOpen(name, cause) } : undefined;
  } finally {
    if (fd !== undefined) files.closeSync(fd);
  }
}

/** `undefined`: too large. What the kernel makes as it is read (in /proc) has no size, and may have no end. */
function readWhole(files: FileCalls, fd: number): Buffer | undefined {
  const pieces: Buffer[] = [];
  for (let bytes = 0; bytes <= largestBytes;) {
    const piece = Buffer.allocUnsafe(pieceBytes);
    const count = files.readSync(fd, piece, 0, pieceBytes, null);
    if (count === 0) return Buffer.concat(pieces);
    pieces.push(piece.subarray(0, count));
    bytes += count;
  }
  return undefined;
}

/** A file that is there but out of reach must not be passed over for a more general one. */
const mayExist = (cause: unknown): boolean =>
  isTemporary(cause) || ['EACCES', 'EPERM'].includes(errnoOf(cause) ?? '');

const unableToOpen = (name: string, cause: unknown): Halt =>
  defer(`Unable to open ${name}: ${errorWords(cause)}. (#4.3.0)`);

/** Whether the list has an owner. Goes by the extension, not by the file that matched. */
export function findOwnerFiles(files: FileCalls, { home, dash, ext }: Owner): OwnerFiles | Halt {
  const name = `.qmail${dash}${safeExt(ext)}-owner`;
  const owner = exists(files, home, name);
  if (typeof owner !== 'boolean') return owner;
  const ownerDefault = owner && exists(files, home, `${name}-default`);
  return typeof ownerDefault === 'boolean' ? { owner, ownerDefault } : ownerDefault;
}

function exists(files: FileCalls, home: string, name: string): boolean | Halt {
  if (name.includes('\0')) return false;
  try {
    return files.statSync(`${home}/${name}`, { throwIfNoEntry: false }) !== undefined;
  } catch (cause) {
    return isTemporary(cause) ? unableToOpen(name, cause) : false;
  }
}
