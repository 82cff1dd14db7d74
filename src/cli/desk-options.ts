/** `waybill desk`, as the command line describes it. */
import type { Command } from 'commander';
import type { Places } from './places.ts';

export function describeDesk(program: Command): void {
  const desk = program
    .command('desk')
    .description('the web page: its password, a way in without one');
  desk
    .command('password')
    .description('set the password (asked for, or the first line of stdin); a running engine obeys')
    .option('--remove', 'no password any more')
    .action(async ({ remove = false }: { readonly remove?: boolean }) => {
      const { deskPassword } = await import('./desk.ts');
      await deskPassword(program.opts<Places>(), remove);
    });
  desk
    .command('link')
    .description('a link that lets a browser in, once, within twelve hours')
    .action(async () => {
      const { deskLink } = await import('./desk.ts');
      deskLink(program.opts<Places>());
    });
}
