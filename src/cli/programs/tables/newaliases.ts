/** newaliases: compiles `/etc/aliases` into `/etc/aliases.cdb`. No arguments. */
import { compileAliases } from '../../../aliases/tables/sendmail-aliases.ts';
import type { Program } from '../lib/program.ts';
import { readDefaultHosts } from './default-hosts.ts';
import { install, readOrDie, worldReadable, type TableTools } from './table-program.ts';

const source = '/etc/aliases';

export const newaliases =
  ({ files }: TableTools): Program =>
  async ({ env }) => {
    const place = { target: `${source}.cdb`, temporary: `${source}.tmp`, mode: worldReadable };
    const hosts = readDefaultHosts(files, env);
    const text = readOrDie(files, source);
    install(place, () => files.writeCdb(place, compileAliases(text, hosts)));
    return 0;
  };
