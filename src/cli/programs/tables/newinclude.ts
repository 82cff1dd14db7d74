/** newinclude: compiles an `:include:` list. `newinclude LIST` reads LIST and makes LIST.bin. */
import { compileInclude } from '../../../aliases/tables/include-list.ts';
import { toBytes } from '../lib/bytes.ts';
import { Misused, type Program } from '../lib/program.ts';
import { readDefaultHosts } from './default-hosts.ts';
import { install, readOrDie, worldReadable, type TableTools } from './table-program.ts';

/** QMAILDEFAULTHOST, QMAILDEFAULTDOMAIN and QMAILPLUSDOMAIN overrule the control files. */
export const newinclude =
  ({ files }: TableTools): Program =>
  async ({ args, env }) => {
    if (args[0] === undefined) throw new Misused('usage: newinclude list');
    const list = toBytes(args[0]);
    const place = { target: `${list}.bin`, temporary: `${list}.tmp`, mode: worldReadable };
    const hosts = readDefaultHosts(files, env, env);
    const text = readOrDie(files, list);
    install(place, () => files.write(place, compileInclude(text, hosts)));
    return 0;
  };
