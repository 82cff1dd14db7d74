/** mailsubj: a letter from the command line, subject first. */
import { inject } from './inject.ts';
import { prefixed } from './prefixed.ts';
import { Misused, runProgram, type Call } from './program.ts';

/** `mailsubj subject recipient ...`, body on stdin. qmail-inject puts the commas between the recipients. */
export async function mailsubj(call: Call): Promise<number> {
  const [subject, ...recipients] = call.args;
  if (subject === undefined) throw new Misused('usage: mailsubj subject recipient ...');
  const header = `Subject: ${subject}\nTo: ${recipients.join(' ')}\n\n`;
  return runProgram('qmail-inject', inject, {
    ...call,
    args: [],
    input: () => prefixed(header, call.input()),
  });
}
