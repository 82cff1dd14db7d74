/** predate: runs a program on a letter with a Date field of this machine's time zone in front. */
import { closeSync } from 'node:fs';
import { errorWords } from '../../../platform/errno.ts';
import { runChild } from './child.ts';
import { dateField } from './local-date.ts';
import { openPipe, pourIntoPipe } from './pipe.ts';
import { prefixed } from './prefixed.ts';
import { Misused, tryLater, type Call } from './program.ts';

/** `predate program [argument ...]`; the exit code is the program's. */
export async function predate({ args, env, input }: Call): Promise<number> {
  const [program] = args;
  if (program === undefined) throw new Misused('usage: predate child');
  const { reader, writer } = openPipe();
  const ended = runChild(args, { stdin: reader, env });
  closeSync(reader);
  // One that does not read to the end says what it thinks with its exit code.
  await pourIntoPipe(writer, prefixed(dateField(Date.now()), input()));
  const end = await ended;
  if (end.how === 'crashed') throw tryLater('child crashed');
  if (end.how === 'exit') return end.code;
  throw tryLater(`unable to run ${program}: ${errorWords(end.cause)}`);
}
