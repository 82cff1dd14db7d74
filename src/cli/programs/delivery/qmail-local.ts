/**
 * qmail-local: delivers one letter to one user, as his .qmail file says, with the rights of whoever calls it.
 * The engine does the same within itself; this is for scripts, and for trying a .qmail file (`-n`).
 */
import { closeSync, fstatSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import type { Owner } from '../../../aliases/owner.ts';
import { deliver, type Forwarding } from '../../../delivery/local/deliver.ts';
import type { DeliverParts, Delivery, LocalSettings } from '../../../delivery/local/delivery.ts';
import { directorySync } from '../../../delivery/local/directory-sync.ts';
import { systemFiles } from '../../../delivery/local/file-calls.ts';
import type { Identity } from '../../../delivery/local/identity.ts';
import { inTurn } from '../../../delivery/local/in-turn.ts';
import { kernelLock } from '../../../delivery/local/kernel-lock.ts';
import { LetterUnreadable, type Letter } from '../../../delivery/local/letter.ts';
import { systemClock as clock } from '../../../platform/clock.ts';
import type { Processes } from '../../../platform/processes.ts';
import { systemProcesses } from '../../../platform/system-processes.ts';
import { exitNever, exitTryLater } from '../../exit-codes.ts';
import { illegalUse, parseOptions } from '../lib/options.ts';
import type { Print } from '../lib/print.ts';
import { Misused, type Call, type Environment, type Program } from '../lib/program.ts';
import { openQueueLetter } from '../lib/queue-letter.ts';
import { openMessage, type Message } from '../tables/message.ts';
import { tryOut } from './try-out.ts';

const usage = 'usage: qmail-local [ -nN ] user homedir local dash ext domain sender aliasempty';

export type Arguments = {
  readonly dry: boolean;
  readonly owner: Owner;
  readonly local: string;
  readonly domain: string;
  readonly sender: string;
  /** For whoever has no instructions of his own. */
  readonly defaultDelivery: string;
};

export type LocalTools = {
  readonly stdin: number;
  readonly print: Print;
  readonly processes: Processes;
};

/** `qmail-local [-nN] user homedir local dash ext domain sender aliasempty`, with the letter on `stdin`. */
export const qmailLocal =
  (tools: LocalTools): Program =>
  async (call) => {
    const asked = readArguments(call.args);
    if (asked.dry) return tryOut(asked, tools.print, call.say);
    const message = openMessage(tools.stdin);
    try {
      return await deliverNow(asked, message, tools, call);
    } finally {
      message.close();
    }
  };

function readArguments(args: readonly string[]): Arguments {
  const parsed = parseOptions(args, 'nN');
  if ('illegal' in parsed) throw illegalUse(parsed, 'qmail-local', usage);
  if (parsed.rest.length !== 8) throw new Misused(usage);
  const [user, home, local, dash, ext, domain, sender, defaultDelivery] = parsed.rest as Eight;
  if (!home.startsWith('/')) throw new Misused(usage);
  const dry = parsed.options.at(-1)?.letter === 'n';
  return { dry, owner: { user, home, dash, ext }, local, domain, sender, defaultDelivery };
}

type Eight = readonly [string, string, string, string, string, string, string, string];

async function deliverNow(
  { owner, local, domain, sender, defaultDelivery }: Arguments,
  message: Message,
  { print, processes }: LocalTools,
  { env, say }: Call,
): Promise<number> {
  const letter = await letterIn(message);
  const delivery: Delivery = {
    ...{ owner, local, domain, letter, returnPath: sender },
    settings: { ...settings, defaultDelivery },
    // No letter of the engine's: files in a Maildir get names by time and process, as qmail's.
    ...{ message: '', rcpt: 0, attempt: 1 },
    callOff: new AbortController().signal,
  };
  const { verdict, forwarding } = await deliver(partsFor(env, processes), delivery);
  if (verdict.kind !== 'delivered') {
    say(verdict.reply.text);
    return verdict.kind === 'failed' ? exitNever : exitTryLater;
  }
  if (forwarding === undefined) {
    print(verdict.reply.text);
    return 0;
  }
  const { outcome, pid } = await forward(forwarding, letter, env);
  if (outcome.kind === 'queued') {
    print(`${verdict.reply.text}qp ${pid}\n`);
    return 0;
  }
  say(`Unable to forward message: ${outcome.text}.\n`);
  return outcome.kind === 'permanent' ? exitNever : exitTryLater;
}

/** A file is read again and again; what comes through a pipe is copied first. */
async function letterIn(message: Message): Promise<Letter> {
  const fd = await message.open();
  const { size } = fstatSync(fd);
  closeSync(fd);
  return {
    ...{ whole: undefined, wireBytes: size },
    async *chunks() {
      try {
        yield* message.chunks();
      } catch (cause) {
        throw new LetterUnreadable(cause);
      }
    },
  };
}

/** Quotas are the Maildir's own only; programs take as long and make as many processes as they like. */
const settings: Omit<LocalSettings, 'defaultDelivery'> = {
  hostName: hostname(),
  ...{ programTimeoutMs: Infinity, programProcesses: 0, maildirQuota: {}, overQuota: 'fail' },
};

/** Whoever calls it answers for the rights it has, root's too: qmail-lspawn is who refuses those. */
const callersIdentity: Identity = {
  switches: false,
  whoFor: () => ({ uid: process.getuid?.() || nobodysUid, gid: process.getgid?.() ?? 0 }),
  as: (_who, run) => run(),
};
const nobodysUid = 2 ** 32 - 2;

const partsFor = (env: Environment, processes: Processes): DeliverParts => ({
  ...{ files: systemFiles, syncDirectory: directorySync(systemFiles), inTurn: inTurn(), clock },
  ...{ identity: callersIdentity, processes, scratchDirectory: tmpdir(), stderrIsOurs: true },
  kernelLock: kernelLock(systemProcesses({ clock })),
  inherited: Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  ),
});

/** The way to the queue may change the working directory: nothing comes after it. */
async function forward(
  { returnPath, recipients, prefix }: Forwarding,
  letter: Letter,
  env: Environment,
) {
  const queued = await openQueueLetter(env);
  await queued.write(Buffer.from(prefix.replaceAll('\r\n', '\n')));
  for await (const chunk of letter.chunks()) await queued.write(chunk);
  return { outcome: await queued.finish({ sender: returnPath, recipients }), pid: queued.pid };
}
