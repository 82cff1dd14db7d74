/** The system's error numbers, in qmail's words (error_str.c) and by qmail's hopes (error_temp.c). */
import { constants } from 'node:os';

/** `ENOENT`; `undefined` for what is no error of the system. */
export function errnoOf(cause: unknown): string | undefined {
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return undefined;
  const { code } = cause;
  if (typeof code !== 'string') return undefined;
  const unnamed = /^Unknown system error -(\d+)$/.exec(code)?.[1];
  return unnamed === undefined ? code : (namesOf.get(Number(unnamed)) ?? code);
}

/** Node knows the numbers of some errors and not their names: EDQUOT, ESTALE, ENOLCK. */
const namesOf: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno).map(([name, number]) => [number, name]),
);

const words: Readonly<Record<string, string>> = {
  EACCES: 'access denied',
  EAGAIN: 'temporary failure',
  EBUSY: 'device busy',
  EDQUOT: 'disk quota exceeded',
  EEXIST: 'file already exists',
  EFBIG: 'file too large',
  EINTR: 'interrupted system call',
  EIO: 'input/output error',
  EISDIR: 'is a directory',
  ELOOP: 'symbolic link loop',
  EMFILE: 'process cannot open more files',
  EMLINK: 'too many links',
  ENAMETOOLONG: 'file name too long',
  ENFILE: 'system cannot open more files',
  ENODEV: 'device does not support operation',
  ENOENT: 'file does not exist',
  ENOLCK: 'no locks available',
  ENOMEM: 'out of memory',
  ENOSPC: 'out of disk space',
  ENOTDIR: 'not a directory',
  ENXIO: 'device not configured',
  EPERM: 'permission denied',
  EPIPE: 'broken pipe',
  EROFS: 'read-only file system',
  ESTALE: 'stale NFS file handle',
  ETIMEDOUT: 'timed out',
  ETXTBSY: 'text busy',
};

/** qmail's words for it, `file does not exist`. */
export const errorWords = (cause: unknown): string =>
  words[errnoOf(cause) ?? ''] ?? 'unknown error';

const temporary: ReadonlySet<string> = new Set([
  ...['EAGAIN', 'EBUSY', 'EDEADLK', 'EDQUOT', 'EINTR', 'EIO', 'EMFILE', 'ENFILE', 'ENOBUFS'],
  ...['ENOLCK', 'ENOMEM', 'ENOSPC', 'ESTALE', 'ETIMEDOUT', 'ETXTBSY', 'EUSERS', 'ENETDOWN'],
  ...['ENETUNREACH', 'EHOSTDOWN', 'EHOSTUNREACH', 'ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED'],
]);

/** Whether the same call may work later without anybody's help. */
export const isTemporary = (cause: unknown): boolean => temporary.has(errnoOf(cause) ?? '');
