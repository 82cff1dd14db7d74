/** What the programs for tables have in common: their input as one text, and words for what goes wrong. */
import { TableMistake } from '../../../aliases/tables/table-mistake.ts';
import type { QueueOutcome } from '../../../ingress/inject/queue-exit.ts';
import { errnoOf, errorWords } from '../../../platform/errno.ts';
import { ReplaceTrouble } from '../../../platform/replace-file.ts';
import { CdbDamage } from '../../../wire/cdb/reader.ts';
import { exitNever, exitTryLater } from '../../exit-codes.ts';
import { toBytes } from '../lib/bytes.ts';
import { Fatal, Misused, tryLater, type Call } from '../lib/program.ts';
import type { Place, TableFiles, TextCdb } from './table-files.ts';

/** What a program works with besides its call; a test has its own. */
export type TableTools = {
  readonly files: TableFiles;
  /** To stdout; a byte string. */
  readonly print: (text: string) => void;
};

/** All of it, as a byte string. */
export async function readInput({ input }: Call): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of input()) chunks.push(chunk);
  } catch (cause) {
    throw tryLater(`unable to read input: ${systemWords(cause)}`);
  }
  return Buffer.concat(chunks).toString('latin1');
}

/** The two names that every compiler is called with; what follows them does not matter. */
export function placeFrom({ args }: Call, usage: string): Place {
  const [target, temporary] = args.map(toBytes);
  if (target === undefined || temporary === undefined) throw new Misused(`usage: ${usage}`);
  return { target, temporary };
}

/** fastforward refuses a list that not everybody may read, so an operator's umask must not count. */
export const worldReadable = 0o644;

/** Puts a table where it belongs, or says why not; `words` are those of the originals that have their own. */
export function install(place: Place, work: () => void, words = usualWords): void {
  try {
    work();
  } catch (cause) {
    if (!(cause instanceof ReplaceTrouble)) throw dieOfMistake(cause);
    const said = toPrintable(words(place)[cause.step]);
    throw tryLater(`${said}: ${systemWords(cause.cause)}`);
  }
}

type StepWords = { readonly [Step in ReplaceTrouble['step']]: string };

const usualWords = ({ target, temporary }: Place): StepWords => ({
  create: `unable to create ${temporary}`,
  write: `unable to write to ${temporary}`,
  move: `unable to move ${temporary} to ${target}`,
});

/** A mistake in what was to be compiled or printed, as the end of the program. */
export const dieOfMistake = (cause: unknown): unknown =>
  cause instanceof TableMistake
    ? new Fatal(toPrintable(cause.message), cause.never ? exitNever : exitTryLater)
    : cause;

/** The text of a file, or `unable to read NAME: why`. */
export function readOrDie(files: TableFiles, path: string, named = path): string {
  try {
    return files.read(path);
  } catch (cause) {
    throw tryLater(`unable to read ${toPrintable(named)}: ${systemWords(cause)}`);
  }
}

/** The system's words for an error of its own; else what the error says itself. */
export const systemWords = (cause: unknown): string =>
  errnoOf(cause) === undefined && cause instanceof Error ? cause.message : errorWords(cause);

/** A byte string for people: text again where it is UTF-8, and nothing that a terminal obeys. */
export const toPrintable = (bytes: string): string =>
  Buffer.from(bytes, 'latin1')
    .toString('utf8')
    .replace(/\p{Cc}/gu, '?');

/** Works with a database and closes it; what cannot be opened or read is `unable to read NAME: why`. */
export function openOrDie<T>(files: TableFiles, path: string, work: (cdb: TextCdb) => T): T {
  let cdb: TextCdb | undefined;
  try {
    return dieOfDamage(path, () => work((cdb = files.openCdb(path))));
  } finally {
    cdb?.close();
  }
}

/** One look into it, with the same words. */
export function dieOfDamage<T>(path: string, look: () => T): T {
  try {
    return look();
  } catch (cause) {
    if (errnoOf(cause) === undefined && !(cause instanceof CdbDamage)) throw cause;
    throw tryLater(`unable to read ${toPrintable(path)}: ${systemWords(cause)}`);
  }
}

/** What the queue has against a letter, as the end of the program. */
export const refusedBy = ({ kind, text }: QueueOutcome, before = ''): Fatal =>
  new Fatal(before + text, kind === 'permanent' ? exitNever : exitTryLater);
