/** fastforward: forwards a letter as a table says. `| fastforward -d /etc/aliases.cdb` in a .qmail file */
import {
  expandAlias,
  type Expansion,
  type ForwardProgram,
} from '../../../aliases/tables/expand-alias.ts';
import { exitNever } from '../../exit-codes.ts';
import { toBytes } from '../lib/bytes.ts';
import { parseOptions } from '../lib/options.ts';
import { Misused, never, tryLater, type Environment, type Program } from '../lib/program.ts';
import { openMessage } from './message.ts';
import { prefaceFrom, ProgramFailed, runCommand } from './run-command.ts';
import type { TableFiles } from './table-files.ts';
import {
  dieOfDamage,
  refusedBy,
  systemWords,
  toPrintable,
  type TableTools,
} from './table-program.ts';

/** For a letter's sender where nobody has said who that is. */
const unknownSender = 'original envelope sender';

/** 99: enough, the lines of the .qmail file that follow do not count. */
const exitEnough = 99;

/** `fastforward [-nNpPdD] CDB` */
export const fastforward =
  ({ files }: TableTools): Program =>
  async ({ args, env, say }) => {
    const { path, dry, passThrough, ofDefault } = readArguments(args, say);
    const target = readTarget(env, ofDefault);
    const sender = env['SENDER'] === undefined ? unknownSender : toBytes(env['SENDER']);
    const message = dry ? undefined : openMessage();
    const obeying = { env, say, message };
    const cdb = dieOfDamage(path, () => files.openCdb(path));
    try {
      const expansion = await expandAlias(target, sender, {
        get: (key) => dieOfDamage(path, () => cdb.get(key)),
        readList: (file) => readList(files, file),
        run: (program) => run(program, obeying),
      });
      if (expansion === undefined) {
        if (passThrough) return 0;
        say('Sorry, no mailbox here by that name. (#5.1.1)\n');
        return exitNever;
      }
      await forwardTo(expansion, obeying);
      return passThrough ? exitEnough : 0;
    } catch (cause) {
      if (cause instanceof ProgramFailed) return cause.exit;
      throw cause;
    } finally {
      cdb.close();
      message?.close();
    }
  };

/** Without a message everything is only told. */
type Obeying = {
  readonly env: Environment;
  readonly say: (text: string) => void;
  readonly message: ReturnType<typeof openMessage> | undefined;
};

function tell(line: string, { say }: Obeying): void {
  say(`${toPrintable(line.replace(/[\0-\x1f\x7f]/g, '_'))}\n`);
}

async function run({ bare, command }: ForwardProgram, obeying: Obeying): Promise<void> {
  const { env, message } = obeying;
  const named = `${bare ? '|' : '!'}${command}`;
  if (message === undefined) return tell(`run ${named}`, obeying);
  const preface = bare ? undefined : prefaceFrom(env);
  await runCommand(command, { message, preface, named: toPrintable(named) });
}

async function forwardTo(expansion: Expansion, obeying: Obeying): Promise<void> {
  const { env, say, message } = obeying;
  const { sender, recipients } = expansion;
  if (message === undefined) {
    tell(recipients.length === 0 ? 'no forwarding' : `from <${sender}>`, obeying);
    for (const recipient of recipients) tell(`to <${recipient}>`, obeying);
  } else if (recipients.length > 0) {
    const deliveredTo = toBytes(env['DTLINE'] ?? '');
    const { queueForwards } = await import('./queue-forwards.ts');
    const { outcome, pid } = await queueForwards({ ...expansion, deliveredTo, message }, env);
    if (outcome.kind !== 'queued') throw refusedBy(outcome);
    say(`fastforward: qp ${pid}\n`);
  }
}

/** Of letters that contradict each other the last one counts. */
function readArguments(args: readonly string[], say: (text: string) => void) {
  const parsed = parseOptions(args, 'nNpPdD');
  if ('illegal' in parsed) say(`fastforward: illegal option -- ${parsed.illegal}\n`);
  const [path] = 'rest' in parsed ? parsed.rest : [];
  if (path === undefined || 'illegal' in parsed) {
    throw new Misused('usage: fastforward [ -nNpP ] data.cdb');
  }
  const last = (letters: string) =>
    parsed.options.findLast(({ letter }) => letters.includes(letter))?.letter;
  return {
    path: toBytes(path),
    dry: last('nN') === 'n',
    passThrough: last('pP') === 'p',
    ofDefault: last('dD') === 'd',
  };
}

/** Below a virtual domain the recipient has a prefix that no table knows; DEFAULT and EXT have none. */
function readTarget(env: Environment, ofDefault: boolean): string {
  if (!ofDefault) {
    if (env['RECIPIENT'] === undefined) throw never('$RECIPIENT must be set');
    return toBytes(env['RECIPIENT']);
  }
  const local = env['DEFAULT'] ?? env['EXT'];
  if (local === undefined) throw never('$DEFAULT or $EXT must be set');
  if (env['HOST'] === undefined) throw never('$HOST must be set');
  return toBytes(`${local}@${env['HOST']}`);
}

/** A table must not show anybody what only its owner may read. */
function readList(files: TableFiles, file: string): string {
  let list: { readonly text: string; readonly mode: number };
  try {
    list = files.readWithMode(file);
  } catch (cause) {
    throw tryLater(`unable to read ${toPrintable(file)}: ${systemWords(cause)}`);
  }
  if ((list.mode & 0o444) !== 0o444) throw tryLater(`${toPrintable(file)} is not world-readable`);
  return list.text;
}
