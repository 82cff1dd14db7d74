/** elq, pinq and qail: the letters of the Maildir into the mbox first, then a mail reader that knows only those. */
import { systemClock } from '../../../platform/clock.ts';
import { errorWords } from '../../../platform/errno.ts';
import { runChild } from '../lib/child.ts';
import { runProgram, tryLater, type Program } from '../lib/program.ts';
import { maildir2mbox } from './maildir2mbox.ts';

/** The shell's, for a program that is not there. */
const exitNotFound = 127;

/** `ELQ [argument ...]`: `reader` gets the arguments, the terminal, and the last word. */
export const mailReader =
  (reader: string): Program =>
  async (call) => {
    const moved = await runProgram('maildir2mbox', maildir2mbox({ clock: systemClock }), call);
    if (moved !== 0) return moved;
    // What is typed at the terminal is for the reader; we wait for its end.
    for (const signal of ['SIGINT', 'SIGQUIT'] as const) process.on(signal, () => undefined);
    const end = await runChild([reader, ...call.args], { stdin: 0, env: call.env });
    if (end.how === 'crashed') throw tryLater('child crashed');
    if (end.how === 'exit') return end.code;
    call.say(`unable to run ${reader}: ${errorWords(end.cause)}\n`);
    return exitNotFound;
  };
