/** What SQLite itself can tell of a letter that no index leads to: never too little, so that all is found. */
import type { SQLInputValue } from 'node:sqlite';
import type { Question } from '../../trace/search.ts';

export type Conditions = {
  readonly conditions: readonly string[];
  /** For their question marks, in order. */
  readonly values: readonly SQLInputValue[];
};

/** On a row of `letter`. */
export function conditionsOf({ id, minBytes, maxBytes, sender, recipient }: Question): Conditions {
  const all: [condition: string, value: SQLInputValue][] = [];
  const digits = id?.replaceAll('-', '') ?? '';
  if (id !== undefined) all.push(['instr(hex(id), ?)', digits.toUpperCase()]);
  if (minBytes !== undefined) all.push(['bytes >= ?', minBytes]);
  if (maxBytes !== undefined) all.push(['bytes <= ?', maxBytes]);
  const from = pieceOf(sender);
  if (from !== undefined) all.push(['instr(lower(sender), ?)', from]);
  const to = pieceOf(recipient);
  if (to !== undefined) {
    const theirs = "instr(lower(address || coalesce(formerly, '')), ?)";
    all.push([
      `EXISTS (SELECT 1 FROM recipient WHERE recipient.letter = letter.pos AND ${theirs})`,
      to,
    ]);
  }
  return { conditions: all.map(([each]) => each), values: all.map(([, value]) => value) };
}

/** The longest part of a pattern that must stand as it is; SQLite folds the case of ASCII only, and JSON escapes. */
function pieceOf(pattern: string | undefined): string | undefined {
  if (pattern === undefined || pattern === '<>') return undefined;
  const plain = pattern.toLowerCase().split(/[^a-z0-9@._+-]+/);
  const longest = plain.reduce((best, each) => (each.length > best.length ? each : best), '');
  return longest === '' ? undefined : longest;
}
