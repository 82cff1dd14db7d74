/**
 * What a dot-qmail file says (dot-qmail(5), qmail-local.c): its text as a list of instructions.
 * Addresses, file names and commands are taken literally; nothing is unquoted or expanded.
 */

import { trimBlanksEnd } from '../../mail/trim-blanks.ts';
import { isRaw } from './raw-text.ts';

/** One line that says to do something; `line` counts from 1. */
export type NumberedInstruction = Instruction & { readonly line: number };

export type Instruction =
  | { readonly kind: 'maildir'; readonly name: string }
  | { readonly kind: 'mbox'; readonly name: string }
  | { readonly kind: 'program'; readonly command: string }
  | { readonly kind: 'forward'; readonly address: string }
  /** Reaching this defers the letter; what stands before it has been done. Always the last one. */
  | { readonly kind: 'uh-oh'; readonly text: string };

const uhOh = (text: string): Instruction => ({ kind: 'uh-oh', text: `Uh-oh: ${text}` });

/** `forwardOnly`: the file has the x bit, so it may not deliver here; the line `+list` says the same. */
export function parseDotQmail(text: string, forwardOnly = false): readonly NumberedInstruction[] {
  // A missing LF at the end is supplied, so a text without any has one (blank) line.
  const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n').map(trimBlanksEnd);
  if (lines[0] === '')
    return [{ ...uhOh('first line of .qmail file is blank. (#4.2.1)'), line: 1 }];
  const instructions: NumberedInstruction[] = [];
  let forwardsOnly = forwardOnly;
  for (const [index, line] of lines.entries()) {
    if (line === '+list') forwardsOnly = true;
    const instruction = parseLine(line);
    if (instruction === undefined) continue;
    const refusal = forwardsOnly ? refuse(instruction) : undefined;
    instructions.push({ ...(refusal ?? instruction), line: index + 1 });
    if (refusal !== undefined) break;
  }
  return instructions;
}

/** Blank lines, comments and flags are no instructions. After a NUL nothing is seen, as in C. */
function parseLine(line: string): Instruction | undefined {
  const [seen = ''] = line.split('\0', 1);
  switch (line[0]) {
    case undefined:
    case '#':
    case '+':
      return undefined;
    case '|':
      return { kind: 'program', command: seen.slice(1) };
    default:
      // A name that we cannot spell would be another one: rather none at all.
      return isRaw(seen) ? uhOh('line of .qmail file is not UTF-8. (#4.2.1)') : placeIn(seen);
  }
}

function placeIn(line: string): Instruction {
  switch (line[0]) {
    case '.':
    case '/':
      return { kind: line.endsWith('/') ? 'maildir' : 'mbox', name: line };
    case '&':
      return { kind: 'forward', address: line.slice(1) };
    default:
      return { kind: 'forward', address: line };
  }
}

function refuse({ kind }: Instruction): Instruction | undefined {
  const what = { maildir: 'file', mbox: 'file', program: 'prog', forward: '', 'uh-oh': '' }[kind];
  return what === '' ? undefined : uhOh(`.qmail has ${what} delivery but has x bit set. (#4.7.0)`);
}
