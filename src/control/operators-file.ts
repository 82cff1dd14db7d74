import { ControlMistake } from '../mail/trouble.ts';
import { errnoOf, errorWords } from '../platform/errno.ts';
import { readIfThere } from '../platform/read-if-there.ts';

/** A file of the operator's, whole; `undefined` where there is none. Throws `ControlMistake` when it cannot be read. */
export function readOperatorsFile(file: string): Buffer | undefined {
  try {
    return readIfThere(file);
  } catch (cause) {
    const who = errnoOf(cause) === 'EACCES' ? ` by uid ${process.geteuid?.()}` : '';
    throw new ControlMistake(file, undefined, `cannot be read${who}: ${errorWords(cause)}`);
  }
}
