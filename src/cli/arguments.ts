/** Readers of option values; wrong ones are wrong usage, which exits 100. */
import { InvalidArgumentError } from 'commander';
import { parseInstant } from '../trace/parse-instant.ts';

export const toInstant = (text: string): number => {
  const at = parseInstant(text, Date.now());
  if (at !== undefined) return at;
  throw new InvalidArgumentError('no time: try 2026-11-21T06:00, -2h, yesterday 06:00 (UTC)');
};

/** What is all digits is a position, anything else a time. */
export type Place = { readonly position: number } | { readonly at: number };

export const toPlace = (text: string): Place =>
  /^\d{1,15}$/.test(text) ? { position: Number(text) } : { at: toInstant(text) };

export const toCount = (text: string): number => {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('not a whole number');
};

export const toList = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  ...text.split(',').filter((item) => item !== ''),
];

/** One of `allowed`. */
export const toOneOf =
  <T extends string>(allowed: readonly T[]) =>
  (text: string): T => {
    const found = allowed.find((each) => each === text.toLowerCase());
    if (found !== undefined) return found;
    throw new InvalidArgumentError(`one of ${allowed.join(', ')}`);
  };
