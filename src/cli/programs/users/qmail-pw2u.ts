/** qmail-pw2u: reads passwd lines, prints `users/assign`. Options as qmail's: `-/CHUch:ou`. */
import {
  PasswdMistake,
  passwdToAssign,
  type AccountTables,
  type OwnerOfHome,
  type PasswdOptions,
} from '../../../aliases/passwd-to-assign.ts';
import { errnoOf } from '../../../platform/errno.ts';
import { toBytes } from '../lib/bytes.ts';
import { illegalOption, parseOptions } from '../lib/options.ts';
import { tryLater, type Program } from '../lib/program.ts';
import { readInput, systemWords, toPrintable, type TableTools } from '../tables/table-program.ts';

export type Pw2uParts = {
  /** Where `include`, `exclude` and the rest lie: the directory of `users/assign`. */
  readonly directory: () => string;
  readonly ownerOfHome: OwnerOfHome;
};

const files = ['include', 'exclude', 'mailnames', 'subusers', 'append'] as const;

export const qmailPw2u =
  (tools: TableTools, { directory, ownerOfHome }: Pw2uParts): Program =>
  async (call) => {
    const options = optionsFrom(call.args);
    const tables = readTables(tools, toBytes(directory()));
    const passwd = await readInput(call);
    const ownerOf: OwnerOfHome = (home) => {
      try {
        return ownerOfHome(home);
      } catch {
        throw tryLater(`unable to stat ${toPrintable(home)}`);
      }
    };
    try {
      for (const line of passwdToAssign(passwd, tables, options, ownerOf)) tools.print(line);
    } catch (cause) {
      if (cause instanceof PasswdMistake) throw tryLater(toPrintable(cause.message));
      if (errnoOf(cause) !== undefined)
        throw tryLater(`unable to write output: ${systemWords(cause)}`);
      throw cause;
    }
    return 0;
  };

function optionsFrom(args: readonly string[]): PasswdOptions {
  const parsed = parseOptions(args, 'ohHuUCc:/');
  if ('illegal' in parsed) throw illegalOption(parsed);
  let options: PasswdOptions = {
    ...{ homes: 'owned', allowUpperCase: false, breakCharacter: '-', dash: '-' },
  };
  for (const { letter, value } of parsed.options) {
    options = { ...options, ...changes[letter]?.(value) };
  }
  return options;
}

const changes: Readonly<Record<string, (value: string) => Partial<PasswdOptions>>> = {
  o: () => ({ homes: 'owned' }),
  h: () => ({ homes: 'must-exist' }),
  H: () => ({ homes: 'unchecked' }),
  u: () => ({ allowUpperCase: true }),
  U: () => ({ allowUpperCase: false }),
  C: () => ({ breakCharacter: '' }),
  c: (value) => ({ breakCharacter: toBytes(value).slice(0, 1) }),
  '/': () => ({ dash: '-/' }),
};

function readTables({ files: disk }: TableTools, directory: string): AccountTables {
  const found: { [File in (typeof files)[number]]?: string } = {};
  for (const file of files) {
    try {
      found[file] = disk.read(`${directory}/${file}`);
    } catch (cause) {
      if (errnoOf(cause) !== 'ENOENT') throw tryLater('unable to read controls');
    }
  }
  return found;
}
