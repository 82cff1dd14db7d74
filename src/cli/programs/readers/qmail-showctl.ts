/** qmail-showctl: the configuration, explained file by file. */
import { parseAmount, parseLine, parseList } from '../../../control/readers.ts';
import { errnoOf } from '../../../platform/errno.ts';
import { exitTryLater } from '../../exit-codes.ts';
import type { Print } from '../lib/print.ts';
import type { Program } from '../lib/program.ts';
import { controlWords, type ControlWords } from './control-words.ts';

/** Texts are byte strings. */
export interface ControlFiles {
  /** Throws where there is no directory, or none that we may look into. */
  names(): readonly string[];
  /** `undefined`: there is no such file. Throws when it cannot be read. */
  read(name: string): string | undefined;
  /** When it was last changed, milliseconds. */
  changedAt(name: string): number;
}

export type ShowctlFacts = {
  readonly home: string;
  /** alias, qmaild, qmaill, root, qmailp, qmailq, qmailr, qmails; `undefined`: no such account yet. */
  readonly uids: readonly (number | undefined)[];
  /** nofiles, qmail. */
  readonly gids: readonly (number | undefined)[];
};

export type ShowctlTools = {
  readonly files: ControlFiles;
  readonly facts: () => ShowctlFacts;
  readonly print: Print;
};

export const qmailShowctl =
  ({ files, facts, print }: ShowctlTools): Program =>
  async () => {
    const tell = (text: string): void => print(printable(text));
    tell(formatFacts(facts()));
    let names: readonly string[];
    try {
      names = files.names();
    } catch {
      tell('Oops! Unable to chdir to control.\n');
      return exitTryLater;
    }
    const me = oneLine(files, 'me');
    for (const [name, words] of controlWords) {
      tell(`\n${name}: ${said(files, name, words, me)}`);
      if (name === 'morercpthosts') tell(`\n${database}: ${ofDatabase(files, names)}`);
    }
    const known = new Set<string>([...controlWords.map(([name]) => name), database]);
    for (const name of names) {
      if (!known.has(name)) tell(`\n${name}: I have no idea what this file does.\n`);
    }
    return 0;
  };

const database = 'morercpthosts.cdb';

/** Spawn limit and split are qmail's compile-time constants; here nothing is limited or split so. */
const formatFacts = ({ home, uids, gids }: ShowctlFacts): string =>
  `qmail home directory: ${home}.\nuser-ext delimiter: -.\n` +
  'paternalism (in decimal): 2.\nsilent concurrency limit: none.\nsubdirectory split: 1.\n' +
  `user ids: ${uids.map(numberOf).join(', ')}.\ngroup ids: ${gids.map(numberOf).join(', ')}.\n`;

const numberOf = (id: number | undefined): string => (id === undefined ? 'none' : String(id));

/** Line ends are ours; a stranger's bytes do not get to the terminal. */
const printable = (text: string): string => text.replace(/[^\n -~]/g, '?');

const trouble = 'Oops! Trouble reading this file.\n';

function said(files: ControlFiles, name: string, words: ControlWords, me: string | undefined) {
  let text: string | undefined;
  try {
    text = files.read(name);
  } catch {
    return trouble;
  }
  switch (words.kind) {
    case 'line': {
      const value = text === undefined ? undefined : parseLine(text).value;
      const fallback = (words.own === true ? undefined : me) ?? words.otherwise;
      return sentence(words, value, fallback);
    }
    case 'amount': {
      const value = text === undefined ? undefined : parseAmount(text).value;
      return sentence(words, value, words.fallback);
    }
    case 'list':
      return entries(files, name, words, text, me);
    case 'whole':
      return text === undefined ? `(Default.) ${words.none}\n` : `${words.some}\n`;
  }
}

type Around = { readonly before: string; readonly after?: string };

type Value = string | number;

function sentence(
  { before, after = '' }: Around,
  value: Value | undefined,
  fallback: Value,
): string {
  return `${value === undefined ? '(Default.) ' : ''}${before}${value ?? fallback}${after}\n`;
}

function entries(
  files: ControlFiles,
  name: string,
  words: Extract<ControlWords, { kind: 'list' }>,
  text: string | undefined,
  me: string | undefined,
): string {
  const { before, after = '', none } = words;
  if (text === undefined) {
    const fallback = none === 'me' ? `${before}${me ?? 'undefined! Uh-oh'}${after}` : none;
    return `(Default.) ${fallback}\n`;
  }
  if (name === 'morercpthosts' && !isThere(files, 'rcpthosts')) {
    return 'No rcpthosts; morercpthosts is irrelevant.\n';
  }
  const lines = parseList(text).value.map((entry) => `${before}${entry.text}${after}\n`);
  return `\n${lines.join('')}`;
}

/** Unlike qmail's, a text without a database counts by itself. */
function ofDatabase(files: ControlFiles, names: readonly string[]): string {
  const text = names.includes('morercpthosts');
  if (!names.includes(database)) {
    return text ? '(Default.) morercpthosts counts by itself.\n' : '(Default.) No effect.\n';
  }
  if (!text) return "Oops! morercpthosts.cdb exists but morercpthosts doesn't.\n";
  try {
    if (files.changedAt(database) < files.changedAt('morercpthosts')) {
      return 'Oops! morercpthosts.cdb is older than morercpthosts.\n';
    }
  } catch {
    return trouble;
  }
  return 'Modified recently enough; hopefully up to date.\n';
}

function oneLine(files: ControlFiles, name: string): string | undefined {
  try {
    const text = files.read(name);
    return text === undefined ? undefined : parseLine(text).value;
  } catch {
    return undefined;
  }
}

function isThere(files: ControlFiles, name: string): boolean {
  try {
    return files.read(name) !== undefined;
  } catch (cause) {
    return errnoOf(cause) !== 'ENOENT';
  }
}
