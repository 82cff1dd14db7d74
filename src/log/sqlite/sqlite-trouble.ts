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
const readOnly = 8;
/** The index of the write-ahead log is in the middle of a change, and we may not put it right. */
const tornIndex = readOnly | (1 << 8);
const syncFailures: readonly number[] = [
  ioError | (4 << 8), // fsync
  ioError | (5 << 8), // directory fsync
];
const readFailures: readonly number[] = [
  ioError | (1 << 8), // read
  ioError | (2 << 8), // the file is shorter than it should be
  ioError | (33 << 8), // the file system says that it is damaged
];
/** What SQLite calls `disk I/O error`, told apart for whoever must find the disk. */
const ioWords: Readonly<Record<number, string>> = {
  1: 'reading',
  2: 'reading',
  3: 'writing',
  4: 'syncing',
  5: 'syncing a directory',
  6: 'cutting',
};

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
  if (isSyncFailure(cause)) return broken(cause);
  if (isTornIndex(cause)) {
    return unavailable(
      'its writer has left the log in the middle of a change: start the engine',
      cause,
    );
  }
  if (primaryCode(cause) === readOnly) {
    return unavailable(`the disk that holds the log is read-only: ${String(cause)}`, cause);
  }
  return unavailable(`trouble with the log's file: ${String(cause)}${doing(cause)}`, cause);
}

/** For good, as far as this process goes: the next one looks the file over before it writes (`suspect.ts`). */
const broken = (cause: unknown): Trouble =>
  new Trouble('log-broken', {
    tryAgain: true,
    peer: 'log unavailable (#4.3.0)',
    detail: `the disk failed to sync the log: ${String(cause)}`,
    cause,
  });

/** The page of one letter cannot be read now; others may. A read that fails in a transaction has ended it. */
export const toReadTrouble = (cause: unknown): Trouble =>
  readFailures.includes(errorCode(cause) ?? -1)
    ? damaged(`the log's file cannot be read: ${String(cause)}`, cause)
    : toTrouble(cause);

/** After a sync that failed the kernel may have dropped the pages; a second sync would lie. */
export const isSyncFailure = (cause: unknown): boolean =>
  syncFailures.includes(errorCode(cause) ?? -1);

export const isTornIndex = (cause: unknown): boolean =>
  errorCode(cause instanceof Trouble ? cause.cause : cause) === tornIndex;

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

function doing(cause: unknown): string {
  const code = errorCode(cause) ?? 0;
  const words = (code & 0xff) === ioError ? ioWords[code >> 8] : undefined;
  return words === undefined ? '' : ` (${words})`;
}
