/** setmaillist: compiles a list file for fastforward. `setmaillist BIN TMP < TEXT` */
import { compileMailList } from '../../../aliases/tables/list-file.ts';
import type { Program } from '../lib/program.ts';
import { install, placeFrom, readInput, worldReadable, type TableTools } from './table-program.ts';

export const setmaillist =
  ({ files }: TableTools): Program =>
  async (call) => {
    const place = { ...placeFrom(call, 'setmaillist list.bin list.tmp'), mode: worldReadable };
    const text = await readInput(call);
    install(place, () => files.write(place, compileMailList(text)));
    return 0;
  };
