/** A letter as a .qmail file's program gets it: a file on a descriptor, and a queue that keeps what it is given. */
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment, Program } from '../../../../src/cli/programs/lib/program.ts';
import { makeOffice, type Office } from '../call.ts';

export type Ran = { readonly exit: number; readonly said: string; readonly printed: string };

export type LetterOffice = Office & {
  /** Writes the letter, and calls what `make` makes of its descriptor. */
  onLetter(
    make: (stdin: number, print: (text: string) => void) => Program,
    args: readonly string[],
    options?: { readonly letter?: string; readonly env?: Environment; readonly name?: string },
  ): Promise<Ran>;
};

export const letterText = 'Subject: hello\n\nA letter.\n';

export function letterOffice(name: string): LetterOffice {
  const office = makeOffice();
  const path = join(office.root, 'letter');
  return {
    ...office,
    async onLetter(make, args, { letter = letterText, env = {} } = {}) {
      writeFileSync(path, letter, 'latin1');
      const fd = openSync(path, 'r');
      let printed = '';
      try {
        const program = make(fd, (text) => (printed += text));
        const { exit, said } = await office.call(name, program, args, letter, env);
        return {
          exit,
          said: said.replace(/qp \d+/, 'qp N'),
          printed: printed.replace(/qp \d+/, 'qp N'),
        };
      } finally {
        closeSync(fd);
      }
    },
  };
}
