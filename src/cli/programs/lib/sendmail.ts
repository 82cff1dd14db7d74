/** sendmail: the front end that everybody calls, over qmail-inject. */
import { splitAddress } from '../../../mail/address.ts';
import { inject } from './inject.ts';
import { illegalUse, parseOptions } from './options.ts';
import { Misused, never, runProgram, type Call, type Environment } from './program.ts';

const usage = 'usage: sendmail [ -t ] [ -fsender ] [ -Fname ] [ -bp ] [ -bs ] [ arg ... ]';

type Wish = {
  readonly mode: 'letter' | 'list' | 'smtp';
  readonly fromHeader: boolean;
  readonly sender: string | undefined;
  readonly fullName: string | undefined;
  readonly recipients: readonly string[];
};

/** `sendmail [options] [recipient ...]`; under the name mailq it lists the queue, newaliases is somebody else's. */
export async function sendmail(call: Call, calledAs = 'sendmail'): Promise<number> {
  if (calledAs === 'newaliases') throw never('please use fastforward/newaliases instead');
  const wish = readArguments(calledAs === 'mailq' ? ['-bp', ...call.args] : call.args);
  if (wish.mode === 'list') return (await import('./list-queue.ts')).listQueue(call);
  if (wish.mode === 'smtp') return (await import('./stdio-smtp.ts')).stdioSmtp(call.env);
  const sender = wish.sender === undefined ? [] : ['-f', wish.sender];
  return runProgram('qmail-inject', inject, {
    ...call,
    env: environmentFor(wish, call.env),
    args: [wish.fromHeader ? '-H' : '-a', ...sender, '--', ...wish.recipients],
  });
}

/** What is not looked at is known all the same. */
const letters = 'timvxb:f:F:B:p:e:o:E*J*';

function readArguments(args: readonly string[]): Wish {
  const parsed = parseOptions(args, letters);
  if ('illegal' in parsed) throw illegalUse(parsed, 'sendmail', usage);
  const lastOf = (wanted: string): string | undefined =>
    parsed.options.findLast(({ letter }) => letter === wanted)?.value;
  const modes = parsed.options.filter(({ letter }) => letter === 'b');
  return {
    mode: modes.map(({ value }) => modeOf(value)).at(-1) ?? 'letter',
    fromHeader: lastOf('t') !== undefined,
    sender: lastOf('f'),
    fullName: lastOf('F'),
    recipients: parsed.rest,
  };
}

function modeOf(value: string): Wish['mode'] {
  switch (value[0]) {
    case 'm':
      return 'letter';
    case 'p':
      return 'list';
    case 's':
      return 'smtp';
    default:
      throw new Misused(usage);
  }
}

/** `-f` is taken for the author, too, when the letter names none; a full name would be the wrong one then. */
function environmentFor({ sender, fullName }: Wish, env: Environment): Environment {
  if (sender === undefined) return fullName === undefined ? env : { ...env, MAILNAME: fullName };
  const { QMAILNAME: _1, MAILNAME: _2, NAME: _3, QMAILHOST: _4, MAILHOST: _5, ...rest } = env;
  const { local, domain } = splitAddress(sender);
  return { ...rest, QMAILUSER: local, ...(domain !== undefined && { QMAILHOST: domain }) };
}
