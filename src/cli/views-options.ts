/** `waybill views …` as the command line describes it. */
import type { Command } from 'commander';
import type { Places } from './places.ts';

const json = ['--json', 'JSON, a single object'] as const;

export function describeViews(program: Command): void {
  const views = program
    .command('views')
    .description('the database that search, the web page and SQL read; computed from the log');
  views
    .command('status', { isDefault: true })
    .description('how far they have come, and where they are')
    .option(...json)
    .action(async (options: { readonly json?: boolean }) => {
      const { viewsStatus } = await import('./views.ts');
      await viewsStatus(program.opts<Places>(), options);
    });
  views
    .command('rebuild')
    .description('computes them again from the first event; the old ones answer meanwhile')
    .option('--resume', 'go on where a rebuild was interrupted')
    .option('--urgent', 'do not give way to the mail when the machine is busy')
    .option(...json)
    .action(async (options: { readonly json?: boolean }) => {
      const { rebuildViews } = await import('./views.ts');
      await rebuildViews(program.opts<Places>(), options);
    });
}
