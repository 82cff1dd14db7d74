/** Events and streams for tests of the log, which does not care what they mean. */
import { randomBytes } from 'node:crypto';
import type { NewEvent } from '../../src/log/ports.ts';
import { makeMessageId } from '../../src/mail/message-id.ts';

export const at = Date.UTC(2026, 0, 1);

export const newId = (): string => makeMessageId(Date.now(), randomBytes(10));
export const newStream = (): string => `message-${newId()}`;

/** One event that can be told from others by `n`. */
export const noted = (n: number | string, more: object = {}): NewEvent => ({
  type: 'LetterNoted',
  v: 1,
  at,
  data: { n, ...more },
});

export const notedAll = (...ns: readonly (number | string)[]): NewEvent[] =>
  ns.map((n) => noted(n));

/** `noted(from)` … `noted(from + count - 1)`. */
export const notedMany = (count: number, from = 0): NewEvent[] =>
  Array.from({ length: count }, (_, index) => noted(from + index));

/** The `n`s that were noted, in the order read. */
export const notes = (events: readonly { readonly data: unknown }[]): unknown[] =>
  events.map(({ data }) => (data as { n: unknown }).n);
