/**
 * The source form of a forwarding table (setforward, printforward): `TARGET: COMMAND, COMMAND;`.
 * `#` begins a comment anywhere, blanks and line ends mean nothing, `\` makes the next byte itself.
 * Texts are byte strings: one character per byte.
 */
import {
  formatCommand,
  isTooLong,
  longestAddress,
  ownerKey,
  parseCommand,
  splitItems,
  targetKey,
  type TextRecord,
} from './forward-records.ts';
import { TableMistake } from './table-mistake.ts';

type Mark = ':' | ',' | ';';

/** The records in the order of the source. Errors: `TableMistake`, which no retry cures. */
export function* compileForwardSource(source: string): Generator<TextRecord> {
  let target: string | undefined;
  let commands = '';
  for (const { text, mark } of pieces(source)) {
    if (target === undefined) {
      if (mark !== ':') throw mistake('commas are not permitted before colons');
      target = text;
      continue;
    }
    if (mark === ':') throw mistake('double colons are not permitted');
    // The owner has a record of its own, which goes before the target's.
    if (text.startsWith('?')) yield [ownerKey(target), text.slice(1)];
    else if (text !== '') commands += toCommand(text);
    if (mark !== ';') continue;
    if (commands !== '') yield [targetKey(target), commands];
    target = undefined;
    commands = '';
  }
}

/** Texts with what ends each of them. */
function* pieces(source: string): Generator<{ readonly text: string; readonly mark: Mark }> {
  let text = '';
  let unfinished = false;
  for (let at = 0; at < source.length; at += 1) {
    const letter = source[at]!;
    switch (letter) {
      case '\0':
        throw nulByte();
      case '#':
        at = (source.indexOf('\n', at) + 1 || source.length + 1) - 1;
        break;
      case ' ':
      case '\t':
      case '\n':
        break;
      case ':':
      case ',':
      case ';':
        yield { text, mark: letter };
        text = '';
        unfinished = letter !== ';';
        break;
      case '\\':
        at += 1;
        if (source[at] === '\0') throw nulByte();
        text += source[at] ?? '';
        unfinished ||= at < source.length;
        break;
      default:
        text += letter;
        unfinished = true;
    }
  }
  if (unfinished) throw mistake('final instruction must end with semicolon');
}

/** An address may be written with an `&` in front of it or without; any other sign makes it something else. */
function toCommand(text: string): string {
  const command = parseCommand(text);
  if (command !== undefined && command.kind !== 'address') return formatCommand(command);
  if (isTooLong(text)) {
    throw mistake(`addresses over ${longestAddress} bytes are not permitted`);
  }
  return formatCommand({ kind: 'address', address: command?.address ?? text });
}

const mistake = (message: string): TableMistake => new TableMistake(message, true);
const nulByte = (): TableMistake => mistake('NUL bytes are not permitted');

/**
 * A source that compiles to the same records again, one entry for each.
 * Errors: `TableMistake` for records that are none of a forwarding table.
 */
export function* formatForwardSource(records: Iterable<TextRecord>): Generator<string> {
  for (const [key, data] of records) {
    const target = escape(key.slice(1));
    if (key.startsWith('?')) yield `${target}: ?${escape(data)};\n`;
    else if (key.startsWith(':')) yield `${target}:\n${formatItems(data)};\n`;
    else throw badFormat();
  }
}

function formatItems(data: string): string {
  if (data !== '' && !data.endsWith('\0')) throw badFormat();
  const items = splitItems(data);
  if (items.some((item) => parseCommand(item) === undefined)) throw badFormat();
  return items.map((item) => `, ${escape(item)}\n`).join('');
}

const badFormat = (): TableMistake => mistake('bad database format');

/** Bytes that mean nothing in a source and need no caution elsewhere; all else gets a backslash. */
const escape = (text: string): string => text.replace(/[^!"$-+\--9<-[\]-\x7f]/g, '\\$&');
