/** printforward: the source of a forwarding table. `printforward < CDB` */
import { formatForwardSource } from '../../../aliases/tables/forward-source.ts';
import { bytesAsSource, CdbDamage, openCdb } from '../../../wire/cdb/reader.ts';
import { never, type Program } from '../lib/program.ts';
import { toTextCdb } from './table-files.ts';
import { dieOfMistake, readInput, type TableTools } from './table-program.ts';

export const printforward =
  ({ print }: TableTools): Program =>
  async (call) => {
    const bytes = Buffer.from(await readInput(call), 'latin1');
    const { records } = toTextCdb(openCdb(bytesAsSource(bytes)));
    try {
      for (const entry of formatForwardSource(records())) print(entry);
    } catch (cause) {
      if (cause instanceof CdbDamage) throw never('bad database format');
      throw dieOfMistake(cause);
    }
    return 0;
  };
