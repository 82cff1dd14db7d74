/** predate: runs a program on a letter with a Date field of this machine's time zone in front. */
import { spawn } from 'node:child_process';
import { errnoOf } from '../../../platform/errno.ts';
import { dateField } from './local-date.ts';
import { prefixed } from './prefixed.ts';
import { Misused, tryLater, type Call } from './program.ts';

/** `predate program [argument ...]`; the exit code is the program's. */
export async function predate({ args, env, input }: Call): Promise<number> {
  const [program, ...rest] = args;
  if (program === undefined) throw new Misused('usage: predate child');
  const child = spawn(program, rest, {
    env: env,
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', (cause) =>
      reject(tryLater(`unable to run ${program}: ${errnoOf(cause) ?? cause.message}`)),
    );
    child.once('exit', (code) =>
      code === null ? reject(tryLater('child crashed')) : resolve(code),
    );
  });
  // One that does not read to the end says what it thinks with its exit code.
  let gone = false;
  child.stdin.on('error', () => (gone = true));
  void ended.catch(() => undefined).then(() => (gone = true));
  for await (const chunk of prefixed(dateField(Date.now()), input())) {
    if (gone) break;
    if (!child.stdin.write(chunk)) {
      await Promise.race([
        ended.catch(() => undefined),
        new Promise((resolve) => child.stdin.once('drain', resolve).once('close', resolve)),
      ]);
    }
  }
  child.stdin.end();
  return ended;
}
