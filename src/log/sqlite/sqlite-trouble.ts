/** What SQLite's result codes mean to us. Codes: sqlite.org/rescode.html. */
import { Trouble } from '../../mail/trouble.ts';

const busy = 5;
const locked = 6;
const corrupt = 11;
const full = 13;
const ioError = 10;
const constraint = 19;
const mismatch = 20;
const notADatabase = 26;
const syncFailures: readonly number[] = [
  ioError | (4 << 8), // fsync
  ioError | (5 << 8), // directory fsync
];

export const unavailable = (detail: string, cause?: unknown): Trouble =>
  new Trouble('log-unavailable', {
    tryAgain: true,
    peer: 'log unavailable (#4.3.0)',
    detail,
    cause,
  });

export const damaged = (detail: string, cause?: unknown): Trouble =>
  // Worth another try: the operator can put a sound file back, and no letter bounces until then.
  new Trouble('log-damaged', { tryAgain: true, peer: 'log damaged (#4.3.0)', detail, cause });

export function toTrouble(cause: unknown): Trouble {
  if (cause instanceof Trouble) return cause;
  if (primaryCode(cause) === full) {
    return new Trouble('log-full', {
      tryAgain: true,
      peer: 'disk full (#4.3.1)',
      detail: 'the disk that holds the log is full, or the log has reached its limit',
      cause,
    });
  }
  if (isDamage(cause)) return damaged(`the log's file is damaged: ${String(cause)}`, cause);
  return unavailable(`trouble with the log's file: ${String(cause)}`, cause);
}

/** After a sync that failed the kernel may have dropped the pages; a second sync would lie. */
export const isSyncFailure = (cause: unknown): boolean =>
  syncFailures.includes(errorCode(cause) ?? -1);

export const isContention = (cause: unknown): boolean =>
  [busy, locked].includes(primaryCode(cause) ?? -1);

/** Bytes on disk that are not what SQLite or we wrote there: broken pages, values of absurd size. */
export const isDamage = (cause: unknown): boolean =>
  [corrupt, notADatabase].includes(primaryCode(cause) ?? -1) ||
  (cause as { code?: string } | undefined)?.code === 'ERR_OUT_OF_RANGE' ||
  (cause instanceof Trouble && cause.code === 'log-damaged');

/** The first bytes are no SQLite file's. */
export const isForeign = (cause: unknown): boolean => primaryCode(cause) === notADatabase;

/** One row's own misfortune: SQLite keeps the transaction, and other rows may well be written. */
export const isOfOneRow = (cause: unknown): boolean =>
  isDamage(cause) || [constraint, mismatch].includes(primaryCode(cause) ?? -1);

function primaryCode(cause: unknown): number | undefined {
  const code = errorCode(cause);
  return code === undefined ? undefined : code & 0xff;
}

const errorCode = (cause: unknown): number | undefined =>
  (cause as { errcode?: number } | undefined)?.errcode;
