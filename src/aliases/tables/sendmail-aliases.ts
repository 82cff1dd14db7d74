/**
 * Compiles `/etc/aliases`, sendmail's table, into records for fastforward (newaliases). The leftmost
 * address of a line is the alias, all else on it are targets, kept from right to left as they are read.
 * Texts are byte strings: one character per byte.
 */
import { tokenize } from '../../mail/address-tokens.ts';
import { readEntries, type Entry } from './address-entries.ts';
import {
  formatCommand,
  isTooLong,
  longestAddress,
  ownerKey,
  targetKey,
  type TextRecord,
} from './forward-records.ts';
import { qualify, type DefaultHosts } from './qualify.ts';
import { TableMistake } from './table-mistake.ts';

/** The records, in the order of the lines: of two lines for one alias the first is found. Errors: `TableMistake`. */
export function* compileAliases(text: string, hosts: DefaultHosts): Generator<TextRecord> {
  for (const line of logicalLines(text)) yield* compileLine(line, hosts);
}

/**
 * A line and those behind it that begin with a blank; a comment goes on the same way. Empty lines count
 * nowhere. Unlike newaliases itself we also read a last line that has no line end.
 */
function logicalLines(text: string): readonly string[] {
  const lines: string[] = [];
  for (const line of text.split('\n').filter((physical) => physical !== '')) {
    if (/^[ \t]/.test(line) && lines.length > 0) lines.push(`${lines.pop()}${line}\n`);
    else lines.push(`${line}\n`);
  }
  return lines.filter((line) => !line.startsWith('#'));
}

function* compileLine(line: string, hosts: DefaultHosts): Generator<TextRecord> {
  const tokens = tokenize(line);
  if (tokens === undefined) throw unparsable(line);
  let commands = '';
  /** An address is a target only once another one stands to its left. */
  let leftmost: Extract<Entry, { kind: 'address' }> | undefined;
  const entries = readEntries(tokens, { includes: true });
  for (let next = entries.next(); ; next = entries.next()) {
    if (next.done) {
      if (!next.value) throw unparsable(line);
      break;
    }
    const command = toCommand(next.value);
    if (command !== undefined) commands += command;
    else {
      if (leftmost !== undefined) commands += toForward(leftmost, hosts);
      leftmost = next.value as typeof leftmost;
    }
  }
  if (leftmost === undefined && commands === '') return;
  if (leftmost === undefined || commands === '') throw unparsable(line);
  yield* toRecords(leftmost, commands, hosts);
}

/** What may only be a target; `undefined` for an address. */
function toCommand(entry: Entry): string | undefined {
  const { kind, text } = entry;
  if (kind === 'include') return formatCommand({ kind: 'list', file: toListFile(text) });
  if (text === '') throw new TableMistake('empty recipient addresses not permitted');
  if (entry.hasHost) return undefined;
  if (text.startsWith('/')) throw new TableMistake(`file delivery ${text} not supported`);
  if (!text.startsWith('|')) return undefined;
  if (text.includes('\0')) throw new TableMistake('NUL not permitted in program names');
  return formatCommand({ kind: 'program', command: text.slice(1), bare: false });
}

/** The compiled form of a list lies beside it. */
function toListFile(name: string): string {
  if (name === '') throw new TableMistake('empty :include: filenames not permitted');
  if (name.includes('\0')) throw new TableMistake('NUL not permitted in :include: filenames');
  return `${/^[./]/.test(name) ? '' : './'}${name}.bin`;
}

function toForward(entry: Extract<Entry, { kind: 'address' }>, hosts: DefaultHosts): string {
  const address = qualify(entry, hosts);
  if (address.includes('\0')) throw new TableMistake('NUL not permitted in recipient addresses');
  refuseLong(address);
  return formatCommand({ kind: 'address', address });
}

const ownerMark = 'owner-';

/** The alias is stored as it is written; its owner, who is an address, is completed. */
function* toRecords(
  entry: Extract<Entry, { kind: 'address' }>,
  commands: string,
  hosts: DefaultHosts,
): Generator<TextRecord> {
  const target = entry.hasHost ? entry.text : `${entry.text}@`;
  if (target.includes('\0')) throw new TableMistake('NUL not permitted in recipient addresses');
  refuseLong(target);
  if (target.startsWith(ownerMark)) {
    yield [ownerKey(target.slice(ownerMark.length)), qualify(entry, hosts)];
  }
  yield [targetKey(target), commands];
}

function refuseLong(address: string): void {
  if (!isTooLong(address)) return;
  throw new TableMistake(`addresses over ${longestAddress} bytes are not permitted`, true);
}

const unparsable = (line: string): TableMistake =>
  new TableMistake(`unable to parse this line: ${line.replace(/\n+$/, '')}`);
