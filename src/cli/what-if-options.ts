/** `waybill what-if`, as the command line describes it. */
import type { Command } from 'commander';
import { toCount, toInstant } from './arguments.ts';
import type { Places } from './places.ts';
import type { WhatIfOptions } from './what-if.ts';

export function describeWhatIf(program: Command): void {
  program
    .command('what-if')
    .description('what another configuration (--config DIR) would have done with the past')
    .option('--since <time>', 'letters and refusals at or after', toInstant)
    .option('--until <time>', 'letters and refusals at or before', toInstant)
    .option('--before <dir>', "the engine's own configuration, for users/assign and alias files")
    .option('--limit <n>', 'at most so many differences; 1,000 unless --json', toCount)
    .option('--exit-code', 'exit 100 if anything differs')
    .option('--urgent', 'do not give way to the mail when the machine is busy')
    .option('--json', 'JSON, a difference per line, the sum and warnings in the last line')
    .addHelpText(
      'after',
      '\nExact for who is let in, for routes and for the schedule; how deliveries ended is taken from the record.',
    )
    .action(async (options: WhatIfOptions) => {
      const { tellWhatIf } = await import('./what-if.ts');
      await tellWhatIf(program.opts<Places>(), options);
    });
}
