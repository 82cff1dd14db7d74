/**
 * Questions by name: those that come along, and a person's own in folders of `[projections] folders`, whose code
 * never runs in this process. A file that is no question is left out and told of, with the line where it
 * goes wrong; nothing else stops for it.
 */
import { readdirSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { errorWords } from '../platform/errno.ts';
import { openCaged, openUncaged, type Caged, type CagedIn } from './asking.ts';
import type { Named } from './ports.ts';
import type { Unfit } from './question-file.ts';
import { distrustOf } from './rights.ts';
import { shipped, shippedNames } from './shipped.ts';

export type Refused = Unfit & { readonly file: string };

export type Loading = CagedIn & {
  /** Absolute paths. */
  readonly folders: readonly string[];
  /** Only files that nobody but root and these users can change; absent: any. */
  readonly trusted?: readonly number[] | undefined;
};

export type Loaded = { readonly questions: readonly Named[]; readonly refused: readonly Refused[] };

const endings = ['.ts', '.mts', '.mjs', '.js'];
const namePattern = /^[a-z0-9][a-z0-9-]{0,63}$/;

/** All there are, by name; the shipped ones first. */
export async function loadAll(loading: Loading): Promise<Loaded> {
  const questions: Named[] = await Promise.all(shippedNames.map(loadShipped));
  const refused = missing(loading);
  for (const file of filesOf(loading)) {
    const own = await declarationOf(file, loading);
    if ('why' in own) refused.push(own);
    else questions.push(own);
  }
  return { questions, refused };
}

/** One by its name, in a cage to be asked in: `undefined` when there is none. Nothing else is loaded. */
export async function loadOne(
  name: string,
  loading: Loading,
): Promise<Caged | Refused | undefined> {
  if (shippedNames.includes(name)) {
    return openUncaged(name, (await shipped[name]!()).question, loading);
  }
  const file = filesOf(loading).find((path) => nameOf(path) === name);
  if (file === undefined) return undefined;
  const why = reasonAgainst(file, loading);
  return why === undefined ? loadFile(file, name, loading) : { file, why };
}

/** What we ship says what it is without a cage. */
const loadShipped = async (name: string): Promise<Named> => {
  const { question } = await shipped[name]!();
  return { name, question };
};

const nameOf = (file: string): string => basename(file, extname(file));

/** Files that may be questions; declarations and hidden files are none. */
function filesOf({ folders }: Loading): readonly string[] {
  return folders.flatMap((folder) =>
    namesIn(folder)
      .filter((name) => endings.includes(extname(name)) && !/^\.|\.d\.m?ts$/.test(name))
      .map((name) => join(folder, name)),
  );
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function missing({ folders }: Loading): Refused[] {
  return folders.flatMap((file) => {
    try {
      readdirSync(file);
      return [];
    } catch (cause) {
      return [{ file, why: `the folder cannot be read: ${errorWords(cause)}` }];
    }
  });
}

/** A page asks for the list again and again: what a file says is known until the file is another. */
const declarations = new Map<string, { readonly stamp: string; readonly told: Named | Refused }>();

async function declarationOf(file: string, loading: Loading): Promise<Named | Refused> {
  const why = reasonAgainst(file, loading);
  if (why !== undefined) return { file, why };
  const stamp = stampOf(file);
  const known = declarations.get(file);
  if (known?.stamp === stamp) return known.told;
  const caged = await loadFile(file, nameOf(file), loading);
  const told = 'why' in caged ? caged : caged.named;
  if (!('why' in caged)) caged.close();
  declarations.set(file, { stamp, told });
  return told;
}

function stampOf(file: string): string {
  const { mtimeMs, ctimeMs, size } = statSync(file);
  return `${mtimeMs} ${ctimeMs} ${size}`;
}

async function loadFile(file: string, name: string, how: CagedIn): Promise<Caged | Refused> {
  const caged = await openCaged(name, file, how);
  return 'why' in caged ? { file, ...caged } : caged;
}

function reasonAgainst(file: string, { folders, trusted }: Loading): string | undefined {
  try {
    statSync(file);
    return refusalOf(file, nameOf(file), folders) ?? (trusted && distrustWords(file, trusted));
  } catch (cause) {
    return `the file cannot be read: ${errorWords(cause)}`;
  }
}

function refusalOf(file: string, name: string, folders: readonly string[]): string | undefined {
  if (!namePattern.test(name))
    return 'a name has small letters, digits and dashes: rename the file';
  if (shippedNames.includes(name)) return `there is a question ${name} already: rename the file`;
  const first = filesOf({ folders }).find((other) => nameOf(other) === name);
  return first === file ? undefined : `${first} has the same name: rename one of them`;
}

function distrustWords(file: string, trusted: readonly number[]): string | undefined {
  const why = distrustOf(file, trusted);
  if (why === undefined) return undefined;
  return `not loaded, since it would run with our rights and others could have written it: ${why}`;
}

/** `file:line: why`. */
export const refusedWords = ({ file, line, why }: Refused): string =>
  `${file}${line === undefined ? '' : `:${line}`}: ${why}`;
