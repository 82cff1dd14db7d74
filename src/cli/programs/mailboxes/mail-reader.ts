/** elq, pinq and qail: the letters of the Maildir into the mbox first, then a mail reader that knows only those. */
import { errorWords } from '../../../platform/errno.ts';
import { runChild } from '../lib/child.ts';
import { runProgram, tryLater, type Program } from '../lib/program.ts';
import { maildir2mbox } from './maildir2mbox.ts';
import type { LockParts } from './mbox-lock.ts';
import { systemLocks } from './system-locks.ts';

/** The shell's, for a program that is not there. */
const exitNotFound = 127;

/** `ELQ [argument ...]`: `reader` gets the arguments, the terminal, and the last word. */
export const mailReader =
  (reader: string, locks: LockParts = systemLocks): Program =>
  async (call) => {
    const moved = await runProgram('maildir2mbox', maildir2mbox(locks), call);
    if (moved !== 0) return moved;
    const end = await undisturbed(() =>
      runChild([reader, ...call.args], { stdin: 0, env: call.env }),
    );
    if (end.how === 'crashed') throw tryLater('child crashed');
    if (end.how === 'exit') return end.code;
    call.say(`unable to run ${reader}: ${errorWords(end.cause)}\n`);
    return exitNotFound;
  };

/** What is typed at the terminal is for the reader; we only wait for its end. */
async function undisturbed<T>(work: () => Promise<T>): Promise<T> {
  const ignore = () => undefined;
  for (const signal of typed) process.on(signal, ignore);
  try {
    return await work();
  } finally {
    for (const signal of typed) process.off(signal, ignore);
  }
}
const typed = ['SIGINT', 'SIGQUIT'] as const;
