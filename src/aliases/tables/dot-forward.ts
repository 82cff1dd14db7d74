/**
 * Reads a `.forward` file, as sendmail's users write it (dot-forward): what it asks for, step by step.
 * Each line stands for itself; on a line the rightmost entry comes first.
 * Texts are byte strings: one character per byte.
 */
import { asciiLower } from '../../mail/address.ts';
import { tokenize } from '../../mail/address-tokens.ts';
import { physicalLines, readEntries, type Entry } from './address-entries.ts';
import { qualify, type DefaultHosts } from './qualify.ts';
import { TableMistake } from './table-mistake.ts';

export type DotForwardStep =
  | { readonly kind: 'forward'; readonly address: string }
  | { readonly kind: 'program'; readonly command: string }
  /** The user himself: what stands behind in his .qmail delivers the letter. */
  | { readonly kind: 'direct' };

/** Whose file it is. Absent: not known, so nobody is he. */
export type ForwardUser = { readonly user: string | undefined; readonly host: string | undefined };

/**
 * The steps as they are read, so that those before a mistake are made. None: the file counts as if it
 * were not there. Errors: `TableMistake`, at the line that cannot be obeyed.
 */
export function* readDotForward(
  text: string,
  who: ForwardUser,
  hosts: DefaultHosts,
): Generator<DotForwardStep> {
  for (const line of physicalLines(text)) {
    if (line.startsWith('#')) continue;
    const tokens = tokenize(line);
    if (tokens === undefined) throw unparsable(line);
    const entries = readEntries(tokens, { includes: false });
    for (let next = entries.next(); ; next = entries.next()) {
      if (!next.done) yield* toStep(next.value, who, hosts);
      else if (next.value) break;
      else throw unparsable(line);
    }
  }
}

/** An empty address asks for nothing. */
function* toStep(entry: Entry, who: ForwardUser, hosts: DefaultHosts): Generator<DotForwardStep> {
  const { kind, text } = entry;
  if (kind === 'include' || text === '') return;
  // No envelope could hold the one, and no address means the other.
  if (/[\0\n]/.test(text)) throw new TableMistake('NUL and newlines not permitted');
  if (isHimself(entry, who)) yield { kind: 'direct' };
  else if (entry.hasHost) yield { kind: 'forward', address: qualify(entry, hosts) };
  else if (text.startsWith('/')) throw new TableMistake(`file delivery ${text} not supported`);
  else if (text.startsWith('|')) yield { kind: 'program', command: text.slice(1) };
  else yield { kind: 'forward', address: qualify(entry, hosts) };
}

/** Compared as it is written, before any host is added. */
function isHimself(
  { text, hasHost }: Extract<Entry, { kind: 'address' }>,
  { user, host }: ForwardUser,
): boolean {
  if (user === undefined) return false;
  if (!hasHost) return asciiLower(text) === asciiLower(user);
  return host !== undefined && asciiLower(text) === asciiLower(`${user}@${host}`);
}

const unparsable = (line: string): TableMistake =>
  new TableMistake(`unable to parse this line: ${line.trimEnd()}`);
