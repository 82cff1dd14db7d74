/** preline: gives a program the lines in front of a letter that a mailbox would have. `|preline procmail` */
import { closeSync } from 'node:fs';
import { errnoOf, errorWords, isTemporary } from '../../../platform/errno.ts';
import { runChild, type ChildEnd } from '../lib/child.ts';
import { illegalUse, parseOptions } from '../lib/options.ts';
import { openPipe, writeToPipe, type Pipe } from '../lib/pipe.ts';
import { prefixed } from '../lib/prefixed.ts';
import { Misused, never, tryLater, type Call, type Environment } from '../lib/program.ts';

const usage = 'usage: preline cmd [ arg ... ]';

/** What an option leaves out, in the order in which they stand before the letter. */
const lines = [
  ['f', 'UFLINE'],
  ['r', 'RPLINE'],
  ['d', 'DTLINE'],
] as const;

/** qmail's buffer: that so much was not read, nobody notices. */
const unnoticedBytes = 8_192;

/** `preline [-frdFRD] command [argument ...]`; the exit code is the command's. */
export async function preline({ args, env, input }: Call): Promise<number> {
  const { head, words } = readArguments(args, env);
  const pipe = pipeOrDie();
  const ended = runChild(words, { stdin: pipe.reader, env });
  closeSync(pipe.reader);
  try {
    // One that could not be started says so before anything is read.
    const early = await Promise.race([ended, nextTurn()]);
    // Also to one that has ended already: whether it read a large letter must not be a matter of time.
    const canHear = early === undefined || early.how === 'exit';
    if (canHear) await feed(pipe.writer, prefixed(head, input()));
  } finally {
    closeSync(pipe.writer);
  }
  return exitOf(await ended, words[0]!);
}

function readArguments(args: readonly string[], env: Environment) {
  const parsed = parseOptions(args, 'frdFRD');
  if ('illegal' in parsed) throw illegalUse(parsed, 'preline', usage);
  const values = lines.map(([, name]) => env[name]);
  if (parsed.rest.length === 0 || values.includes(undefined)) throw new Misused(usage);
  const drops = (wanted: string): boolean =>
    parsed.options.findLast(({ letter }) => letter.toLowerCase() === wanted)?.letter === wanted;
  const head = lines.map(([letter], at) => (drops(letter) ? '' : values[at]!)).join('');
  return { head, words: parsed.rest };
}

function pipeOrDie(): Pipe {
  try {
    return openPipe();
  } catch (cause) {
    throw tryLater(`unable to create pipe: ${errorWords(cause)}`);
  }
}

const nextTurn = (): Promise<undefined> =>
  new Promise((resolve) => setImmediate(() => resolve(undefined)));

async function feed(writer: number, letter: AsyncIterable<Buffer>): Promise<void> {
  const failure = await copy(writer, letter).catch(errorWords);
  if (failure !== undefined) throw tryLater(`unable to copy input: ${failure}`);
}

/** In words what went wrong, if anything did that counts. */
async function copy(writer: number, letter: AsyncIterable<Buffer>): Promise<string | undefined> {
  let bytes = 0;
  let isHeard = true;
  for await (const chunk of letter) {
    bytes += chunk.byteLength;
    isHeard &&= await isRead(writer, chunk);
    if (!isHeard && bytes > unnoticedBytes) return 'broken pipe';
  }
  return undefined;
}

/** Whether anybody reads still. */
async function isRead(writer: number, chunk: Buffer): Promise<boolean> {
  try {
    await writeToPipe(writer, chunk);
    return true;
  } catch (cause) {
    if (errnoOf(cause) !== 'EPIPE') throw cause;
    return false;
  }
}

function exitOf(end: ChildEnd, program: string): number {
  if (end.how === 'exit') return end.code;
  if (end.how === 'crashed') throw tryLater('child crashed');
  const why = `unable to run ${program}: ${errorWords(end.cause)}`;
  throw isTemporary(end.cause) ? tryLater(why) : never(why);
}
