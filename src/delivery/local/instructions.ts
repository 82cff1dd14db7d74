/** Carries out the lines of a dot-qmail file, from the top. */
import type { Address } from '../../mail/envelope.ts';
import type { DeliverParts, Errand } from './delivery.ts';
import type { Instruction } from './dot-qmail.ts';
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
  instructions: readonly Instruction[],
): Promise<Done | Halt> {
  let files = 0;
  let programs = 0;
  const forwards: Address[] = [];
  for (const [line, instruction] of instructions.entries()) {
    if (instruction.kind === 'forward') {
      forwards.push(instruction.address);
      continue;
    }
    if (instruction.kind === 'program') programs += 1;
    else files += 1;
    const outcome = await perform(parts, errand, instruction, line);
    if (outcome === 'enough') break;
    if (outcome !== undefined) return outcome;
  }
  return { files, programs, forwards };
}

function perform(
  parts: DeliverParts,
  errand: Errand,
  instruction: Exclude<Instruction, { kind: 'forward' }>,
  line: number,
): Promise<Halt | 'enough' | undefined> {
  if (errand.who.uid === 0 && !isHarmless(errand, instruction)) {
    return Promise.resolve(defer('Not allowed to perform deliveries as root.'));
  }
  switch (instruction.kind) {
    case 'maildir':
      return toMaildir(parts, errand, instruction.name, line);
    case 'mbox':
      return toMbox(parts, errand, instruction.name);
    case 'program':
      return toProgram(parts, errand, instruction.command);
    case 'uh-oh':
      return Promise.resolve(defer(instruction.text));
  }
}

/** What even root's rights may be lent for: a mailbox within a home that we made ourselves. */
const isHarmless = (
  { owner }: Errand,
  instruction: Exclude<Instruction, { kind: 'forward' }>,
): boolean =>
  instruction.kind === 'uh-oh' ||
  (instruction.kind !== 'program' && owner.managed === true && isInHome(instruction.name));

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
  line: number,
): Promise<Halt | undefined> {
  const { owner, settings, letter, message, rcpt, attempt } = errand;
  const task = {
    path: pathOf(errand, name),
    mayMake: owner.managed === true && isInHome(name),
    key: { message, rcpt, line },
    retry: attempt > 1,
    head: headOf(errand),
    letter,
  };
  const { hostName } = settings;
  return deliverToMaildir({ ...parts, hostName, as: asOwner(parts, errand) }, task);
}

function toMbox(parts: DeliverParts, errand: Errand, name: string): Promise<Halt | undefined> {
  const { facts, letter } = errand;
  const head = fromLine(facts.sender, facts.at) + headOf(errand);
  return deliverToMbox(
    { ...parts, as: asOwner(parts, errand) },
    { name, path: pathOf(errand, name), head, letter },
  );
}

function toProgram(
  parts: DeliverParts,
  errand: Errand,
  command: string,
): Promise<Halt | 'enough' | undefined> {
  const { owner, settings, letter, who, env, report, callOff } = errand;
  return runProgram(
    { ...parts, timeoutMs: settings.programTimeoutMs, callOff },
    { command, home: owner.home, env: env(), who, letter },
    report,
  );
}
