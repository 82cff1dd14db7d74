/** tcprulescheck: which rule a client would meet. `TCPREMOTEIP=… tcprulescheck CDB` */
import { findCompiledRule } from '../../../control/tcp-rules-cdb.ts';
import { toBytes } from '../lib/bytes.ts';
import { Misused, type Environment, type Program } from '../lib/program.ts';
import { openOrDie, type TableTools } from './table-program.ts';

export const tcprulescheck =
  ({ files, print }: TableTools): Program =>
  async ({ args: [path], env }) => {
    if (path === undefined) throw new Misused('usage: tcprulescheck rules.cdb');
    const rule = openOrDie(files, toBytes(path), ({ get }) =>
      findCompiledRule(clientFrom(env), get),
    );
    print(rule === undefined ? 'default:\n' : `rule ${rule.key}:\n`);
    for (const variable of rule?.variables ?? []) print(`set environment variable ${variable}\n`);
    print(rule === undefined || rule.allow ? 'allow connection\n' : 'deny connection\n');
    return 0;
  };

function clientFrom(env: Environment) {
  const value = (name: string) => (env[name] === undefined ? undefined : toBytes(env[name]));
  const host = value('TCPREMOTEHOST');
  const info = value('TCPREMOTEINFO');
  return {
    ip: value('TCPREMOTEIP') ?? '',
    ...(host === undefined ? {} : { host }),
    ...(info === undefined ? {} : { info }),
  };
}
