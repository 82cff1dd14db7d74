/** Readers of option values; wrong ones are wrong usage, which exits 100. */
import { InvalidArgumentError } from 'commander';
import type { Place } from '../past/ports.ts';
import { isConsumerName } from '../consumers/names.ts';
import { parseInstant } from '../trace/parse-instant.ts';

/** Milliseconds since 1970; a time without a zone is UTC. */
export const toInstant = (text: string): number => {
  const at = parseInstant(text, Date.now());
  if (at !== undefined) return at;
  throw new InvalidArgumentError(
    'no time: try 2026-11-21T06:00, 2026-11-21 06:00+01:00, -2h, yesterday 06:00 (UTC)',
  );
};

export type { Place };

/** What is all digits is a position, anything else a time. */
export const toPlace = (text: string): Place =>
  /^\d{1,15}$/.test(text) ? { position: Number(text) } : { at: toInstant(text) };

/** Up to nine digits. */
export const toCount = (text: string): number => {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('not a whole number');
};

/** `1500`, `500K`, `20M`, `1G`; units are powers of 1,024. */
export const toBytes = (text: string): number => {
  const match = /^(\d{1,12})([kmg]?)i?b?$/i.exec(text);
  const unit = ['', 'k', 'm', 'g'].indexOf(match?.[2]?.toLowerCase() ?? '');
  if (match !== null) return Number(match[1]) * 1024 ** unit;
  throw new InvalidArgumentError('no size: try 1500, 500K, 20M');
};

/** As the views and the log have it: without its brackets. */
export const toHeaderId = (text: string): string => text.trim().replace(/^<(.*)>$/s, '$1');

/** Split at commas; the option may stand several times. */
export const toList = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  ...text.split(',').filter((item) => item !== ''),
];

export const toConsumerName = (text: string): string => {
  if (isConsumerName(text)) return text;
  throw new InvalidArgumentError('a name of letters, digits, - and _, at most 64');
};

/** One of `allowed`. */
export const toOneOf =
  <T extends string>(allowed: readonly T[]) =>
  (text: string): T => {
    const found = allowed.find((each) => each === text.toLowerCase());
    if (found !== undefined) return found;
    throw new InvalidArgumentError(`one of ${allowed.join(', ')}`);
  };
