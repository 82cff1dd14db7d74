import type { Command } from 'commander';
import type { Places } from './places.ts';

/** `waybill check`: is the configuration fit to start with? */
export function describeCheck(program: Command): void {
  program
    .command('check')
    .description('validate configuration, say what would listen where; exit 100 for a mistake')
    .option('--json', 'JSON, a single object')
    .action(async (options: { readonly json?: boolean }) => {
      const { check } = await import('./check.ts');
      await check(program.opts<Places>(), options);
    });
}
