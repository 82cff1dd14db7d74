/** What every small program has in common: exit codes, complaints on stderr, and an end in time. */
import { exitNever, exitTryLater } from '../../exit-codes.ts';
import { writeDescriptor } from './descriptors.ts';

/** Ends the program: `NAME: fatal: text` on stderr. */
export class Fatal extends Error {
  readonly exit: number;

  constructor(text: string, exit: number) {
    super(text);
    this.exit = exit;
  }
}

export const never = (text: string): Fatal => new Fatal(text, exitNever);
export const tryLater = (text: string): Fatal => new Fatal(text, exitTryLater);

/** Wrong usage: `NAME: text` on stderr, exit code 100. */
export class Misused extends Error {}

export type Environment = Readonly<Record<string, string | undefined>>;

/** What a program is called with. */
export type Call = {
  readonly args: readonly string[];
  readonly env: Environment;
  /** Byte by byte from the caller, to the end. */
  readonly input: () => AsyncIterable<Buffer>;
  readonly say: (text: string) => void;
};

/** Resolves with the exit code, or throws `Fatal`. */
export type Program = (call: Call) => Promise<number>;

/** Complaints never make a program fail. */
export function complain(text: string): void {
  try {
    writeDescriptor(2, Buffer.from(text));
  } catch {
    // Nobody hears us.
  }
}

/** Exit code of `program`, its `Fatal` told on stderr. */
export async function runProgram(name: string, program: Program, call: Call): Promise<number> {
  try {
    return await program(call);
  } catch (cause) {
    if (cause instanceof Fatal) {
      call.say(`${name}: fatal: ${cause.message}\n`);
      return cause.exit;
    }
    if (cause instanceof Misused) {
      call.say(`${name}: ${cause.message}\n`);
      return exitNever;
    }
    call.say(`${name}: fatal: ${cause instanceof Error ? cause.message : String(cause)}\n`);
    return exitTryLater;
  }
}
