/** Processes that only pretend, for tests: each command is answered by a function and remembered. */
import type { Command, Ended, Processes } from './processes.ts';

export type ScriptedProcesses = Processes & { readonly commands: readonly Command[] };

/** `answer` may throw what a system would that cannot start the program. */
export function scriptedProcesses(
  answer: (command: Command) => Ended | Promise<Ended>,
): ScriptedProcesses {
  const commands: Command[] = [];
  return {
    commands,
    async run(command) {
      commands.push(command);
      return answer(command);
    },
  };
}

/** What a program that ends by itself leaves. */
export const exited = (code: number, output = ''): Ended => ({
  how: 'exit',
  code,
  output: new TextEncoder().encode(output),
});
