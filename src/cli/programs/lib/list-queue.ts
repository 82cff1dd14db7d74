/** `sendmail -bp` and mailq: what qmail-qread prints. */
import { qmailQread } from '../readers/qmail-qread.ts';
import { print } from './print.ts';
import { runProgram, type Call } from './program.ts';

export const listQueue = (call: Call): Promise<number> =>
  runProgram('qmail-qread', qmailQread({ print }), { ...call, args: [] });
