/** dot-forward: obeys a sendmail user's .forward. `|dot-forward .forward` in a .qmail file */
import { readDotForward, type DotForwardStep } from '../../../aliases/tables/dot-forward.ts';
import { errnoOf } from '../../../platform/errno.ts';
import { exitTryLater } from '../../exit-codes.ts';
import { toBytes } from '../lib/bytes.ts';
import { parseOptions } from '../lib/options.ts';
import { Fatal, Misused, tryLater, type Environment, type Program } from '../lib/program.ts';
import { readDefaultHosts } from './default-hosts.ts';
import { openMessage, type Message } from './message.ts';
import { prefaceFrom, ProgramFailed, runCommand } from './run-command.ts';
import type { TableFiles } from './table-files.ts';
import {
  dieOfMistake,
  refusedBy,
  systemWords,
  toPrintable,
  type TableTools,
} from './table-program.ts';

/** 99: the file has done all; the lines of the .qmail file that follow do not count. */
const exitEnough = 99;

/** `dot-forward [-nN] FILE…`: the first file that says anything is obeyed. */
export const dotForward =
  ({ files }: TableTools): Program =>
  async ({ args, env, say }) => {
    const { paths, dry } = readArguments(args, say);
    const message = dry ? undefined : openMessage();
    try {
      const hosts = readDefaultHosts(files, env);
      const who = { user: inBytes(env['USER']), host: inBytes(env['HOST']) };
      for (const path of paths) {
        const text = readIfThere(files, path);
        if (text === undefined) continue;
        const done = await obey(readDotForward(text, who, hosts), { message, env, say });
        if (done !== undefined) return done;
        if (dry) say(`skipping empty file ${toPrintable(path)}\n`);
      }
      if (dry) say('direct delivery\n');
      return 0;
    } catch (cause) {
      if (cause instanceof ProgramFailed) return cause.exit;
      throw dieOfMistake(cause);
    } finally {
      message?.close();
    }
  };

type Means = {
  /** Absent: nothing is done, only told. */
  readonly message: Message | undefined;
  readonly env: Environment;
  readonly say: (text: string) => void;
};

/** Programs as they come, then all forwards at once; `undefined` when there is nothing to do. */
async function obey(
  steps: Iterable<DotForwardStep>,
  { message, env, say }: Means,
): Promise<number | undefined> {
  const recipients: string[] = [];
  let direct = false;
  let any = false;
  for (const step of steps) {
    any = true;
    if (step.kind === 'direct') direct = true;
    else if (step.kind === 'forward') {
      recipients.push(step.address);
      if (message === undefined) say(`forward ${toPrintable(step.address)}\n`);
    } else if (message === undefined) say(`pipe through ${toPrintable(step.command)}\n`);
    else await runCommand(step.command, { message, preface: prefaceFrom(env), named: '' });
  }
  if (!any) return undefined;
  if (direct && message === undefined) say('direct delivery\n');
  if (recipients.length > 0 && message !== undefined) await queue(recipients, message, env, say);
  return direct ? 0 : exitEnough;
}

async function queue(
  recipients: readonly string[],
  message: Message,
  env: Environment,
  say: Means['say'],
): Promise<void> {
  const sender = needed(env, 'NEWSENDER');
  const deliveredTo = needed(env, 'DTLINE');
  const { queueForwards } = await import('./queue-forwards.ts');
  const { outcome, pid } = await queueForwards({ recipients, sender, deliveredTo, message }, env);
  if (outcome.kind !== 'queued') throw refusedBy(outcome, 'unable to forward message: ');
  say(`dot-forward: info: qp ${pid}\n`);
}

/** Without its Delivered-To line a letter could go round for ever; without a sender its bounce goes nowhere. */
function needed(env: Environment, name: string): string {
  const value = env[name];
  if (value === undefined) throw new Fatal(`$${name} must be set`, exitTryLater);
  return toBytes(value);
}

const inBytes = (value: string | undefined): string | undefined =>
  value === undefined ? undefined : toBytes(value);

function readArguments(args: readonly string[], say: Means['say']) {
  const parsed = parseOptions(args, 'nN');
  if ('illegal' in parsed) {
    say(`dot-forward: illegal option -- ${parsed.illegal}\n`);
    throw new Misused('usage: dot-forward [ -nN ] file ...');
  }
  const dry = parsed.options.at(-1)?.letter === 'n';
  return { paths: parsed.rest.map(toBytes), dry };
}

/** A file that is not there says nothing; one that cannot be read may say something tomorrow. */
function readIfThere(files: TableFiles, path: string): string | undefined {
  try {
    return files.read(path);
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined;
    throw tryLater(`unable to read ${toPrintable(path)}: ${systemWords(cause)}`);
  }
}
