/** Carries out the lines of a dot-qmail file, from the top. */
import type { Address } from '../../mail/envelope.ts';
import type { DeliverParts, Errand } from './delivery.ts';
import type { Instruction, NumberedInstruction } from './dot-qmail.ts';
import { deliveredToLine, fromLine, returnPathLine } from './env.ts';
import type { As } from './file-calls.ts';
import { defer, type Halt } from './halt.ts';
import { deliverToMaildir } from './maildir.ts';
import { deliverToMbox } from './mbox.ts';
import { runProgram } from './program.ts';

export type Done = {
  readonly files: number;
  readonly programs: number;
  /** In the order they appear. */
  readonly forwards: readonly Address[];
};

/** Counts lines that were seen: one that a program's 99 cuts off is not. */
export async function carryOut(
  parts: DeliverParts,
  errand: Errand,
  instructions: readonly NumberedInstruction[],
): Promise<Done | Halt> {
  let files = 0;
  let programs = 0;
  const forwards: Address[] = [];
  for (const [index, instruction] of instructions.entries()) {
    const { line, kind } = instruction;
    if (instruction.kind === 'forward') {
      const { address } = instruction;
      forwards.push(address);
      errand.lines.add({ line, kind: 'forward', what: address });
      continue;
    }
    if (kind === 'uh-oh') return defer(instruction.text);
    if (kind === 'program') programs += 1;
    else files += 1;
    let came: string | undefined;
    const outcome = await perform(parts, errand, instruction, index, (said) => (came = said));
    if (typeof outcome === 'object') came ??= outcome.text;
    const what = instruction.kind === 'program' ? instruction.command : instruction.name;
    errand.lines.add({ line, kind, what, ...(came === undefined ? {} : { came }) });
    if (outcome === 'enough') break;
    if (outcome !== undefined) return outcome;
  }
  return { files, programs, forwards };
}

type Local = Exclude<Instruction, { kind: 'forward' | 'uh-oh' }>;

/** Hears what came of a line, for the record. */
type Tell = (came: string) => void;

function perform(
  parts: DeliverParts,
  errand: Errand,
  instruction: Local,
  index: number,
  tell: Tell,
): Promise<Halt | 'enough' | undefined> {
  if (errand.who.uid === 0 && !isHarmless(errand, instruction)) {
    return Promise.resolve(defer('Not allowed to perform deliveries as root.'));
  }
  switch (instruction.kind) {
    case 'maildir':
      return toMaildir(parts, errand, instruction.name, index, tell);
    case 'mbox':
      return toMbox(parts, errand, instruction.name, tell);
    case 'program':
      return toProgram(parts, errand, instruction.command, tell);
  }
}

/** What even root's rights may be lent for: a mailbox within a home that we made ourselves. */
const isHarmless = ({ owner }: Errand, instruction: Local): boolean =>
  instruction.kind !== 'program' && owner.managed === true && isInHome(instruction.name);

const isInHome = (name: string): boolean =>
  !name.startsWith('/') && !name.split('/').includes('..');

/** Names are relative to the home. */
const pathOf = ({ owner }: Errand, name: string): string =>
  name.startsWith('/') ? name : `${owner.home}/${name}`;

const asOwner =
  ({ identity }: DeliverParts, { who }: Errand): As =>
  (run) =>
    identity.as(who, run);

const headOf = ({ facts }: Errand): string => returnPathLine(facts.sender) + deliveredToLine(facts);

function toMaildir(
  parts: DeliverParts,
  errand: Errand,
  name: string,
  index: number,
  tell: Tell,
): Promise<Halt | undefined> {
  const { owner, settings, letter, message, rcpt, attempt } = errand;
  const { hostName, maildirQuota, overQuota } = settings;
  const task = {
    path: pathOf(errand, name),
    mayMake: owner.managed === true && isInHome(name),
    key: { message, rcpt, line: index },
    retry: attempt > 1,
    head: headOf(errand),
    letter,
    quota: maildirQuota,
    overQuota,
    onPlaced: tell,
  };
  return deliverToMaildir({ ...parts, hostName, as: asOwner(parts, errand) }, task);
}

function toMbox(
  parts: DeliverParts,
  errand: Errand,
  name: string,
  tell: Tell,
): Promise<Halt | undefined> {
  const { facts, letter, who } = errand;
  const { files, clock, inTurn, identity, kernelLock } = parts;
  const head = fromLine(facts.sender, facts.at) + headOf(errand);
  const owner = identity.switches ? who : undefined;
  return deliverToMbox(
    {
      ...{ files, clock, inTurn, as: asOwner(parts, errand) },
      ...(kernelLock && { kernelLock: (fd, waitMs) => kernelLock(fd, waitMs, owner) }),
    },
    {
      ...{ name, path: pathOf(errand, name), head, letter },
      onPlaced: (at) => tell(`at ${at}`),
    },
  );
}

function toProgram(
  parts: DeliverParts,
  errand: Errand,
  command: string,
  tell: Tell,
): Promise<Halt | 'enough' | undefined> {
  const { owner, settings, letter, who, env, report, callOff } = errand;
  const { programTimeoutMs: timeoutMs, programProcesses: maxProcesses } = settings;
  return runProgram(
    { ...parts, timeoutMs, maxProcesses, callOff },
    { command, home: owner.home, env: env(), who, letter, onEnd: tell },
    report,
  );
}
