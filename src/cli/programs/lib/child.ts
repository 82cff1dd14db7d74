/** Programs that ours run: on one descriptor as stdin, with our stdout and stderr, to their end. */
import { spawn, type ChildProcess } from 'node:child_process';
import { isTemporary } from '../../../platform/errno.ts';
import { exitTryLater } from '../../exit-codes.ts';
import { tryLater, type Environment } from './program.ts';

export type ChildEnd =
  | { readonly how: 'exit'; readonly code: number }
  | { readonly how: 'crashed' }
  /** It could not be started. */
  | { readonly how: 'unable'; readonly cause: unknown };

export type ChildParts = { readonly stdin: number; readonly env: Environment };

/** Starts it before it returns: the descriptor may be closed then. Never rejects. */
export function runChild(words: readonly string[], parts: ChildParts): Promise<ChildEnd> {
  let child: ChildProcess;
  try {
    child = start(words, parts);
  } catch (cause) {
    return Promise.resolve({ how: 'unable', cause });
  }
  return new Promise((resolve) => {
    child.once('error', (cause) => resolve({ how: 'unable', cause }));
    child.once('exit', (code) =>
      resolve(code === null ? { how: 'crashed' } : { how: 'exit', code }),
    );
  });
}

function start([program = '', ...args]: readonly string[], { stdin, env }: ChildParts) {
  if (program === '') throw noSuchProgram();
  return spawn(program, args, { stdio: [stdin, 'inherit', 'inherit'], env });
}

/** What the system would say of an empty name; node does not ask it. */
const noSuchProgram = (): Error =>
  Object.assign(new Error('no name of a program'), { code: 'ENOENT' });

/** Whether the program says yes (0). No is every other exit code, and that there is no such program; 111 ends us, too. */
export async function saysYes(words: readonly string[], parts: ChildParts): Promise<boolean> {
  const end = await runChild(words, parts);
  if (end.how === 'crashed') throw tryLater('child crashed');
  const notNow = end.how === 'unable' ? isTemporary(end.cause) : end.code === exitTryLater;
  if (notNow) throw tryLater('temporary child error');
  return end.how === 'exit' && end.code === 0;
}
