/** The control files that complete addresses; `me` stands in for those that are not there. */
import type { DefaultHosts } from '../../../aliases/tables/qualify.ts';
import { parseLine } from '../../../control/readers.ts';
import { errnoOf } from '../../../platform/errno.ts';
import { toBytes } from '../lib/bytes.ts';
import { placesOf } from '../lib/places.ts';
import { tryLater, type Environment } from '../lib/program.ts';
import type { TableFiles } from './table-files.ts';
import { systemWords, toPrintable } from './table-program.ts';

/** Variables that overrule control files, where a program listens to them. */
const noVariables: Environment = {};

export function readDefaultHosts(
  files: TableFiles,
  env: Environment,
  overruling: Environment = noVariables,
): DefaultHosts {
  const control = `${toBytes(placesOf(env).config)}/control`;
  if (!files.exists(control)) {
    // Without it every address would be completed with a host that is nobody's.
    throw tryLater(`unable to chdir to ${toPrintable(control)}: file does not exist`);
  }
  const line = (name: string): string | undefined => {
    try {
      return parseLine(files.read(`${control}/${name}`)).value;
    } catch (cause) {
      if (errnoOf(cause) === 'ENOENT') return undefined;
      throw tryLater(`unable to read controls: ${systemWords(cause)}`);
    }
  };
  const me = line('me') ?? 'me';
  const host = (variable: string, name: string): string => {
    const overruled = overruling[variable];
    return overruled === undefined ? (line(name) ?? me) : toBytes(overruled);
  };
  return {
    defaultHost: host('QMAILDEFAULTHOST', 'defaulthost'),
    defaultDomain: host('QMAILDEFAULTDOMAIN', 'defaultdomain'),
    plusDomain: host('QMAILPLUSDOMAIN', 'plusdomain'),
  };
}
