/**
 * Questions from files: those that come along, and a person's own in folders of `[projections] folders`. A file
 * that is no question is left out and told of, with the line where it goes wrong; nothing else stops for it.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { errorWords } from '../platform/errno.ts';
import type { Named, Question } from './ports.ts';
import { distrustOf } from './rights.ts';
import { shipped, shippedNames } from './shipped.ts';

export type Refused = {
  readonly file: string;
  /** From 1; absent where nobody knows, or it is not about a line. */
  readonly line?: number;
  readonly why: string;
};

export type Loading = {
  /** Absolute paths. */
  readonly folders: readonly string[];
  /** Only files that nobody but root and these users can change; absent: any. */
  readonly trusted?: readonly number[] | undefined;
  /** Milliseconds that a file may wait for something before it exports its question; default 5,000. */
  readonly withinMs?: number;
};

export type Loaded = { readonly questions: readonly Named[]; readonly refused: readonly Refused[] };

const endings = ['.ts', '.mts', '.mjs', '.js'];
const namePattern = /^[a-z0-9][a-z0-9-]{0,63}$/;

/** All there are, by name; the shipped ones first. */
export async function loadAll(loading: Loading): Promise<Loaded> {
  const own = await Promise.all(filesOf(loading).map((file) => loadFile(file, loading)));
  const questions = await Promise.all(shippedNames.map(loadShipped));
  const refused: Refused[] = missing(loading);
  for (const each of own) {
    if ('why' in each) refused.push(each);
    else questions.push(each);
  }
  return { questions, refused };
}

/** One by its name: `undefined` when there is none. Nothing else is loaded. */
export async function loadOne(
  name: string,
  loading: Loading,
): Promise<Named | Refused | undefined> {
  if (shippedNames.includes(name)) return loadShipped(name);
  const file = filesOf(loading).find((path) => nameOf(path) === name);
  return file === undefined ? undefined : loadFile(file, loading);
}

const loadShipped = async (name: string): Promise<Named> => ({
  name,
  question: (await shipped[name]!()).question,
});

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

async function loadFile(
  file: string,
  { folders, trusted, withinMs = 5_000 }: Loading,
): Promise<Named | Refused> {
  const name = nameOf(file);
  try {
    const why = refusalOf(file, name, folders) ?? (trusted && distrustWords(file, trusted));
    if (why !== undefined) return { file, why };
    // What was changed since is read again.
    const url = `${pathToFileURL(file).href}?${statSync(file).mtimeMs}`;
    const module = await imported(url, withinMs);
    const question = module.question ?? module.default;
    const lack = lackOf(question);
    if (lack === undefined) return { name, question: question as Question };
    return { file, ...lineOf(file, /\bquestion\b|\bexport default\b/), why: lack };
  } catch (cause) {
    return { file, ...placeIn(file, cause), why: firstLine(cause) };
  }
}

type Module = { readonly question?: unknown; readonly default?: unknown };

/** The timer also keeps the process alive, which else would end in silence when a file waits for what never comes. */
async function imported(url: string, withinMs: number): Promise<Module> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const why = `it was not loaded within ${withinMs} ms: it waits for something`;
  const timer = setTimeout(() => reject(new Error(why)), withinMs);
  try {
    return (await Promise.race([import(url), late])) as Module;
  } finally {
    clearTimeout(timer);
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

/** What a value lacks to be a question. */
function lackOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) {
    return 'it must export `question` (or a default): an object with title, about, bounds, empty, fold, answer';
  }
  const question = value as { readonly [key: string]: unknown };
  for (const key of ['title', 'about', 'bounds']) {
    if (typeof question[key] !== 'string') return `question.${key} must be a text`;
  }
  for (const key of ['empty', 'fold']) {
    if (typeof question[key] !== 'function') return `question.${key} must be a function`;
  }
  const answers = ['answer', 'said'].filter((key) => typeof question[key] === 'function');
  if (answers.length !== 1) return 'question must have one of the functions answer and said';
  if (question['hears'] !== undefined && !Array.isArray(question['hears'])) {
    return 'question.hears must be a list of event types';
  }
  return lackOfOptions(question['options']);
}

const kinds: readonly unknown[] = ['text', 'number', 'span', 'flag'];

function lackOfOptions(options: unknown): string | undefined {
  for (const [name, option] of Object.entries(options ?? {})) {
    const { kind, about } = (option ?? {}) as { kind?: unknown; about?: unknown };
    if (!namePattern.test(name)) return `question.options.${name}: not a name for an option`;
    if (!kinds.includes(kind) && !Array.isArray(kind)) {
      return `question.options.${name}.kind must be text, number, span, flag or a list of words`;
    }
    if (typeof about !== 'string') return `question.options.${name}.about must be a text`;
  }
  return undefined;
}

/** Where an error says that it is: before its stack when code cannot be read, in it when code fails. */
function placeIn(file: string, cause: unknown): { readonly line?: number } {
  const stack = cause instanceof Error ? (cause.stack ?? '') : '';
  const at = stack.indexOf(file);
  const told = at === -1 ? null : /^(?:\?[\d.]+)?:(\d+)/.exec(stack.slice(at + file.length));
  if (told !== null) return { line: Number(told[1]) };
  const syntax = syntaxLine(file, cause);
  return syntax === undefined ? {} : { line: syntax };
}

/** Where plain JavaScript is no JavaScript, node tells only when it is asked to look at that file and nothing else. */
function syntaxLine(file: string, cause: unknown): number | undefined {
  if (!(cause instanceof SyntaxError)) return undefined;
  const { stderr } = spawnSync(process.execPath, ['--check', file], { encoding: 'utf8' });
  const line = /^(?:file:\/\/)?\/[^\n]*:(\d+)$/m.exec(stderr)?.[1];
  return line === undefined ? undefined : Number(line);
}

function lineOf(file: string, pattern: RegExp): { readonly line?: number } {
  const lines = readFileSync(file, 'utf8').split('\n');
  const index = lines.findIndex((line) => pattern.test(line) && !/^\s*(\/\/|\*|\/\*)/.test(line));
  return { line: index === -1 ? 1 : index + 1 };
}

const firstLine = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : `it threw ${String(cause)}`).split('\n')[0]!;

/** `file:line: why`. */
export const refusedWords = ({ file, line, why }: Refused): string =>
  `${file}${line === undefined ? '' : `:${line}`}: ${why}`;
