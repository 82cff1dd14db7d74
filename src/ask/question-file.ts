/** A question out of its file, inside its cage. A file that is no question is told of with the line where it goes wrong. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { extname } from 'node:path';
import type { Question } from './ports.ts';
import { runWithin } from '../platform/time-limit.ts';

export type Unfit = {
  /** From 1; absent where nobody knows, or it is not about a line. */
  readonly line?: number;
  readonly why: string;
};

type Module = { readonly question?: unknown; readonly default?: unknown };

export type Read = {
  readonly question: Question;
  /** Its own limit for one event, milliseconds. */
  readonly callMs?: number;
};

/** `withinMs`: how long the file may take, or wait for something, before it exports its question. */
export async function readQuestion(file: string, withinMs: number): Promise<Read | Unfit> {
  try {
    const text = extname(file) === '.js' ? readFileSync(file, 'utf8') : '';
    if (isPortable(text)) {
      const { portableCallMs, portableQuestion } = await import('./portable/portable-question.ts');
      return { question: portableQuestion(text, file), callMs: portableCallMs };
    }
    const module = await loaded(file, withinMs);
    const question = module.question ?? module.default;
    const lack = lackOf(question);
    if (lack === undefined) return { question: question as Question };
    return { line: lineOf(file, /\bquestion\b|\bexport default\b/), why: lack };
  } catch (cause) {
    return { ...placeIn(file, cause), why: firstLine(cause) };
  }
}

/** Whether a file is in the event store's language: it names a source, and is no module. */
const isPortable = (text: string): boolean =>
  /\b(from(All|Categor(y|ies)|Streams?)|on_event|on_any)\s*\(/.test(text) &&
  !/^\s*(export|import)\b|\bmodule\.exports\b/m.test(text);

const require = createRequire(import.meta.url);

/** At once, under a time limit; only a file that waits at its top level has to be waited for. */
async function loaded(file: string, withinMs: number): Promise<Module> {
  try {
    let module: Module = {};
    const ended = runWithin(withinMs, () => (module = require(file) as Module));
    if (ended === 'done') return module;
    throw new Error(`it was not loaded within ${withinMs} ms: it does something without an end`);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_REQUIRE_ASYNC_MODULE') throw cause;
  }
  const { promise: late, reject } = Promise.withResolvers<never>();
  const why = `it was not loaded within ${withinMs} ms: it waits for something`;
  const timer = setTimeout(() => reject(new Error(why)), withinMs);
  try {
    return (await Promise.race([import(pathToFileURL(file).href), late])) as Module;
  } finally {
    clearTimeout(timer);
  }
}

const optionName = /^[a-z0-9][a-z0-9-]{0,63}$/;

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
    if (!optionName.test(name)) return `question.options.${name}: not a name for an option`;
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
  const told = at === -1 ? null : /^:(\d+)/.exec(stack.slice(at + file.length));
  return told === null ? {} : { line: Number(told[1]) };
}

function lineOf(file: string, pattern: RegExp): number {
  const lines = readFileSync(file, 'utf8').split('\n');
  const index = lines.findIndex((line) => pattern.test(line) && !/^\s*(\/\/|\*|\/\*)/.test(line));
  return index === -1 ? 1 : index + 1;
}

const firstLine = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : `it threw ${String(cause)}`).split('\n')[0]!;
