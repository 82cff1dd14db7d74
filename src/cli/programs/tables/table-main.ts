/** Runs one of the programs for tables as a process of its own. */
import { writeDescriptor } from '../lib/descriptors.ts';
import { main } from '../lib/main.ts';
import type { Program } from '../lib/program.ts';
import { systemTableFiles } from './table-files.ts';
import type { TableTools } from './table-program.ts';

export const tableMain = (name: string, program: (tools: TableTools) => Program): Promise<never> =>
  main(name, program({ files: systemTableFiles, print }));

const print = (text: string): void => writeDescriptor(1, Buffer.from(text, 'latin1'));
