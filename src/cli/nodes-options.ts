/** `waybill nodes` as the command line describes it. */
import type { Command } from 'commander';
import { toCount } from './arguments.ts';
import type { NodesOptions } from './nodes.ts';
import type { Places } from './places.ts';

export function describeNodes(program: Command): void {
  program
    .command('nodes')
    .description(
      'the engines that share this log: who works, who is silent, whose letters are whose',
    )
    .option('--limit <n>', 'at most so many that have ended, the youngest', toCount, 5)
    .option(
      '--gone <node>',
      'declare that this node (name, or incarnation) is dead and stays so: what it had begun is in doubt at once',
    )
    .option('--why <text>', 'with --gone: the reason, for the record', '')
    .option('--by <name>', 'with --gone: who says so; default: the user name of the caller')
    .option('--json', 'JSON, one value per line')
    .action(async (options: NodesOptions) => {
      const { nodes } = await import('./nodes.ts');
      await nodes(program.opts<Places>(), options);
    });
}
