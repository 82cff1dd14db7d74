/** A small program as a function: what it says, prints and exits with. */
import { runProgram, type Program } from '../../src/cli/programs/lib/program.ts';
import type { TableTools } from '../../src/cli/programs/tables/table-program.ts';
import type { MemoryFiles } from './table-files.ts';

export type Ran = { readonly exit: number; readonly said: string; readonly printed: string };

export async function runTool(
  name: string,
  program: (tools: TableTools) => Program,
  files: MemoryFiles,
  {
    args = [],
    env = {},
    input = '',
  }: {
    readonly args?: readonly string[];
    readonly env?: { readonly [name: string]: string };
    readonly input?: string;
  } = {},
): Promise<Ran> {
  let said = '';
  let printed = '';
  const exit = await runProgram(name, program({ files, print: (text) => (printed += text) }), {
    args,
    env: { WAYBILL_CONFIG: '/c', WAYBILL_DATA: '/d', ...env },
    async *input() {
      yield Buffer.from(input, 'latin1');
    },
    say: (text) => (said += text),
  });
  return { exit, said, printed };
}
