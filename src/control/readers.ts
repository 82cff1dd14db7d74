/**
 * The grammars of qmail's control files (qmail's control.c): line, amount, list, pairs; and the whole text.
 * Where qmail passes over something without a word, so do we, but we take a note for `waybill check`.
 * A file that is not there is `undefined`, which is not the same as an empty one.
 */
import { FoldedMap } from './folded.ts';

/** Something that qmail would ignore in silence. `line` counts from 1. */
export type Note = { readonly line: number; readonly message: string };

export type Parsed<T> = { readonly value: T; readonly notes: readonly Note[] };

/** One entry of a list file. */
export type Entry = { readonly line: number; readonly text: string };

/** One entry of a colon list. */
export type Pair = { readonly line: number; readonly key: string; readonly value: string };

const withoutTrailingBlanks = (line: string): string => line.replace(/[ \t\n]+$/, '');

function carriageReturn(line: string, number: number): readonly Note[] {
  if (!line.endsWith('\r')) return [];
  return [
    { line: number, message: 'the line ends in a carriage return, which counts as part of it' },
  ];
}

function leadingBlanks(line: string, number: number): readonly Note[] {
  if (!/^[ \t]/.test(line)) return [];
  return [{ line: number, message: 'the line begins with blanks, which count as part of it' }];
}

/** The first line without trailing blanks; `#` is data. An empty file is an empty string. */
export function parseLine(text: string): Parsed<string> {
  const [first = '', ...rest] = text.split('\n');
  const value = withoutTrailingBlanks(first);
  const notes = [...leadingBlanks(value, 1), ...carriageReturn(value, 1)];
  if (rest.some((line) => line.trim() !== '')) {
    notes.push({ line: 2, message: 'only the first line counts' });
  }
  return { value, notes };
}

/** The leading digits of the first line; without any the file counts as missing (`undefined`). */
export function parseAmount(text: string): Parsed<number | undefined> {
  const { value: line, notes } = parseLine(text);
  const digits = /^[0-9]+/.exec(line)?.[0];
  if (digits === undefined) {
    return { value: undefined, notes: [{ line: 1, message: 'not a number: the default stays' }] };
  }
  const value = Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
  if (digits === line) return { value, notes };
  return { value, notes: [{ line: 1, message: `only the leading digits count: ${digits}` }] };
}

/** Entries in file order: no trailing blanks, no empty lines, no lines that begin with `#`. */
export function parseList(text: string): Parsed<readonly Entry[]> {
  const entries = text
    .split('\n')
    .map((line, index) => ({ line: index + 1, text: withoutTrailingBlanks(line) }))
    .filter((entry) => entry.text !== '' && !entry.text.startsWith('#'));
  const notes = entries.flatMap(({ line, text: entry }) => [
    ...leadingBlanks(entry, line),
    ...carriageReturn(entry, line),
  ]);
  return { value: entries, notes };
}

/** Entries `key:value`, split at the first colon; a line without one does not count. */
export function parsePairs(text: string): Parsed<readonly Pair[]> {
  const { value: entries, notes } = parseList(text);
  const pairs: Pair[] = [];
  const missing: Note[] = [];
  for (const { line, text: entry } of entries) {
    const colon = entry.indexOf(':');
    if (colon < 0) missing.push({ line, message: 'no colon: the line is ignored' });
    else pairs.push({ line, key: entry.slice(0, colon), value: entry.slice(colon + 1) });
  }
  return { value: pairs, notes: [...notes, ...missing, ...overruled(pairs)] };
}

function overruled(pairs: readonly Pair[]): readonly Note[] {
  const last = new FoldedMap(pairs.map(({ key, line }): [string, number] => [key, line]));
  return pairs
    .filter(({ key, line }) => last.get(key) !== line)
    .map(({ key, line }) => ({
      line,
      message: `overruled by line ${last.get(key)}: the last line wins`,
    }));
}

/** The whole text without the line ends at its end, as `"$(cat file)"` gives it to qmail-start. */
export const parseText = (text: string): Parsed<string> => ({
  value: text.replace(/\n+$/, ''),
  notes: [],
});

/** Pairs for look-up: keys ignore the case of A to Z, and the last of equal keys wins. */
export const toPairMap = (pairs: readonly Pair[]): ReadonlyMap<string, string> =>
  new FoldedMap(pairs.map(({ key, value }): [string, string] => [key, value]));
