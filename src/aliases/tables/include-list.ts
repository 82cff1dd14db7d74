/**
 * Compiles an `:include:` list, as sendmail's users write it, into a list file for fastforward (newinclude):
 * recipients on each line from right to left, no aliases, no programs.
 * Texts are byte strings: one character per byte.
 */
import { tokenize } from '../../mail/address-tokens.ts';
import { physicalLines, readEntries, type Entry } from './address-entries.ts';
import { formatCommand, isTooLong, longestAddress } from './forward-records.ts';
import { qualify, type DefaultHosts } from './qualify.ts';
import { TableMistake } from './table-mistake.ts';

/** The items of the list file, in the order of the lines. Errors: `TableMistake`. */
export function* compileInclude(text: string, hosts: DefaultHosts): Generator<string> {
  for (const line of physicalLines(text)) {
    if (line.startsWith('#')) continue;
    const tokens = tokenize(line);
    if (tokens === undefined) throw unparsable(line);
    const entries = readEntries(tokens, { includes: true });
    for (let next = entries.next(); ; next = entries.next()) {
      if (!next.done) yield* toItem(next.value, hosts);
      else if (next.value) break;
      else throw unparsable(line);
    }
  }
}

/** An empty address says nothing, so nothing is kept of it. */
function* toItem(entry: Entry, hosts: DefaultHosts): Generator<string> {
  const { kind, text } = entry;
  if (kind === 'include') yield formatCommand({ kind: 'list', file: toListFile(text) });
  else if (text !== '') yield formatCommand({ kind: 'address', address: toAddress(entry, hosts) });
}

/** The name is that of the compiled list: unlike in `/etc/aliases`, nothing is appended. */
function toListFile(name: string): string {
  if (name === '') throw new TableMistake('empty :include: filenames not permitted');
  if (name.includes('\n')) {
    throw new TableMistake('newlines not permitted in :include: filenames');
  }
  if (name.includes('\0')) throw new TableMistake('NUL not permitted in :include: filenames');
  return /^[./]/.test(name) ? name : `./${name}`;
}

function toAddress(entry: Extract<Entry, { kind: 'address' }>, hosts: DefaultHosts): string {
  const { text, hasHost } = entry;
  if (!hasHost && text.startsWith('/')) {
    throw new TableMistake(`file delivery ${text} not supported`);
  }
  if (!hasHost && text.startsWith('|')) {
    throw new TableMistake(`program delivery ${text} not supported`);
  }
  const address = qualify(entry, hosts);
  if (address.includes('\n')) {
    throw new TableMistake('newlines not permitted in recipient addresses');
  }
  if (address.includes('\0')) throw new TableMistake('NUL not permitted in recipient addresses');
  if (isTooLong(address)) throw new TableMistake(`addresses must be under ${longestAddress} bytes`);
  if (/[ \t]$/.test(address)) {
    throw new TableMistake('spaces and tabs not permitted at ends of addresses');
  }
  return address;
}

const unparsable = (line: string): TableMistake =>
  new TableMistake(`unable to parse this line: ${line.trimEnd()}`);
