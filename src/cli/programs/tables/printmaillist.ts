/** printmaillist: the text of a list file. `printmaillist < BIN` */
import { formatMailList } from '../../../aliases/tables/list-file.ts';
import type { Program } from '../lib/program.ts';
import { dieOfMistake, readInput, type TableTools } from './table-program.ts';

export const printmaillist =
  ({ print }: TableTools): Program =>
  async (call) => {
    try {
      for (const line of formatMailList(await readInput(call))) print(line);
    } catch (cause) {
      throw dieOfMistake(cause);
    }
    return 0;
  };
