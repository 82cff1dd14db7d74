/** except: turns a program's answer round, for condredirect and bouncesaying. `|bouncesaying sorry except program` */
import { saysYes } from '../lib/child.ts';
import { Misused, type Program } from '../lib/program.ts';
import { exitNever } from '../../exit-codes.ts';

/** `except program [argument ...]`: 100 for its 0, 111 for its 111, and 0 for everything else. */
export const except =
  ({ stdin }: { readonly stdin: number }): Program =>
  async ({ args, env }) => {
    if (args.length === 0) throw new Misused('usage: except program [ arg ... ]');
    return (await saysYes(args, { stdin, env })) ? exitNever : 0;
  };
