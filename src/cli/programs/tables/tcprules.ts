/** tcprules: compiles access rules for tcpserver. `tcprules CDB TMP < RULES` */
import { compileTcpRules, UnparsableRule } from '../../../control/tcp-rules-cdb.ts';
import { never, type Program } from '../lib/program.ts';
import { install, placeFrom, readInput, toPrintable, type TableTools } from './table-program.ts';

export const tcprules =
  ({ files }: TableTools): Program =>
  async (call) => {
    const place = placeFrom(call, 'tcprules rules.cdb rules.tmp');
    const rules = await readInput(call);
    install(place, () => {
      try {
        files.writeCdb(place, compileTcpRules(rules));
      } catch (cause) {
        if (cause instanceof UnparsableRule) throw never(toPrintable(cause.message));
        throw cause;
      }
    });
    return 0;
  };
