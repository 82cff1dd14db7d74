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

/** Writes to stderr; `level` as pino has it. */
export const openLogger = (role: string, level = 'info'): Logger =>
  pino({ level, base: { role, pid: process.pid } }, pino.destination({ fd: 2, sync: true }));

export const silentLogger: Logger = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** What to write of an error: its words, never a stack of a stranger's making. */
export const wordsOf = (cause: unknown): string =>
  cause instanceof Error ? cause.message : String(cause);
