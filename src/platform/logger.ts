/**
 * The engine's own words: starts, stops, troubles. What happens to letters is in the event log and
 * not here. One JSON value per line, so that no stranger's bytes can forge one.
 */
import { pino } from 'pino';

export interface Logger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** The least that is said; `silent`: nothing. */
export type Level = 'info' | 'warn' | 'error' | 'silent';

export type OwnLogger = Logger & {
  /** From now on. */
  obey(level: Level): void;
};

/** So many bytes wait for a stderr that takes nothing; what comes after them is dropped. */
const maxUnwritten = 1024 * 1024;

/**
 * Writes to stderr, or another descriptor. Lines that cannot be written (the disk
 * is full, the reader is gone) wait or are lost: the mail does not stop for want of words.
 */
export function openLogger(role: string, level: Level = 'info', fd = 2): OwnLogger {
  const destination = pino.destination({ fd, sync: true, maxLength: maxUnwritten });
  destination.on('error', () => undefined);
  const logger = pino({ level, base: { role, pid: process.pid } }, destination);
  return Object.assign(logger, { obey: (newly: Level) => void (logger.level = newly) });
}

export const silentLogger: Logger = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** What to write of an error: its words, never a stack of a stranger's making. */
export const wordsOf = (cause: unknown): string =>
  cause instanceof Error ? cause.message : String(cause);
