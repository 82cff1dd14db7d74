/**
 * List files, which hold the recipients of an alias (setmaillist, newinclude): items, each ended by a
 * NUL, `&address` or the name of another list file. Texts are byte strings: one character per byte.
 */
import { trimBlanksEnd } from '../../mail/trim-blanks.ts';
import { formatCommand, isTooLong, longestAddress } from './forward-records.ts';
import { TableMistake } from './table-mistake.ts';

/** The items of a text with one recipient per line. Errors: `TableMistake`. */
export function* compileMailList(text: string): Generator<string> {
  for (const raw of text.split('\n')) {
    const line = trimBlanksEnd(raw);
    if (line.includes('\0')) throw new TableMistake('NUL in input');
    if (line === '' || line.startsWith('#')) continue;
    if (/^[./]/.test(line)) yield formatCommand({ kind: 'list', file: line });
    else yield formatCommand({ kind: 'address', address: toAddress(line) });
  }
}

function toAddress(line: string): string {
  if (isTooLong(line)) throw new TableMistake(`addresses must be under ${longestAddress} bytes`);
  return line.startsWith('&') ? line.slice(1) : line;
}

/** The lines that compile to this list again. Errors: `TableMistake` for bytes that are no list file. */
export function* formatMailList(list: string): Generator<string> {
  if (list !== '' && !list.endsWith('\0')) throw badFormat();
  for (const item of list.split('\0').slice(0, -1)) {
    if (!/^[&./]/.test(item) || item.includes('\n')) throw badFormat();
    yield `${item}\n`;
  }
}

const badFormat = (): TableMistake => new TableMistake('bad mailing list format', true);
