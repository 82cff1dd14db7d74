/** Runs a program as a process of its own, on the process's own arguments and descriptors. */
import { readDescriptor } from './descriptors.ts';
import { complain, runProgram, type Program } from './program.ts';

export async function main(name: string, program: Program): Promise<never> {
  const exit = await runProgram(name, program, {
    args: process.argv.slice(2),
    env: process.env,
    input: () => readDescriptor(0),
    say: complain,
  });
  // Nothing is under way that matters: what was promised has been kept already.
  process.exit(exit);
}
