/** setforward: compiles the source of a forwarding table. `setforward CDB TMP < SOURCE` */
import { compileForwardSource } from '../../../aliases/tables/forward-source.ts';
import type { Program } from '../lib/program.ts';
import { install, placeFrom, readInput, type TableTools } from './table-program.ts';

export const setforward =
  ({ files }: TableTools): Program =>
  async (call) => {
    const place = placeFrom(call, 'setforward data.cdb data.tmp');
    const source = await readInput(call);
    install(place, () => files.writeCdb(place, compileForwardSource(source)));
    return 0;
  };
