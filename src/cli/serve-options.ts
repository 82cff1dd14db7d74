import type { Command } from 'commander';

/** `waybill serve`: the whole engine, in the foreground. */
export function describeServe(program: Command): void {
  program
    .command('serve')
    .description(
      'run the whole engine in the foreground (TERM drains, HUP reloads, ALRM retries now)',
    )
    .action(async () => {
      const { serve } = await import('./serve.ts');
      await serve(program.opts<{ config: string; data: string }>());
    });
}
