/** bouncesaying: sends a letter back with a text of the recipient's choice. `|bouncesaying "no such user" [program]` */
import { saysYes } from '../lib/child.ts';
import { Misused, type Program } from '../lib/program.ts';
import { exitNever } from '../../exit-codes.ts';

/** `bouncesaying text [program [argument ...]]`: only where the program, if there is one, says yes. */
export const bouncesaying =
  ({ stdin }: { readonly stdin: number }): Program =>
  async ({ args, env, say }) => {
    const [text, ...words] = args;
    if (text === undefined) {
      throw new Misused('usage: bouncesaying error [ program [ arg ... ] ]');
    }
    if (words.length > 0 && !(await saysYes(words, { stdin, env }))) return 0;
    say(`${text}\n`);
    return exitNever;
  };
