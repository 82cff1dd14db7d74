/** An operator's hand, as the command line describes it. */
import type { Command } from 'commander';
import type { HandOptions } from './hand.ts';
import type { Places } from './places.ts';

const name = 'ID, or ID/RECIPIENT with the number or address of one recipient';

const acts = {
  retry: 'try again now',
  hold: 'start no more attempts, until released',
  release: 'attempt again what was held',
  cancel: 'give up on recipients that wait, without a bounce',
} as const;

export function describeHand(program: Command): void {
  for (const act of Object.keys(acts) as (keyof typeof acts)[]) {
    const command = withHand(program.command(act).description(acts[act]));
    if (act === 'retry') command.option('--all', 'everything that waits');
    command.argument(act === 'retry' ? '[ids...]' : '<ids...>', name);
    command.action(async (ids: string[], options: Given) => {
      const { byHand } = await import('./hand.ts');
      await byHand(program.opts<Places>(), { ...options, act, ids });
    });
  }
  withHand(program.command('redirect').description('send to another address instead'))
    .argument('<id>', 'ID/RECIPIENT; the ID alone where the letter has one recipient')
    .argument('<address>', 'the new address')
    .action(async (id: string, to: string, options: Given) => {
      const { byHand } = await import('./hand.ts');
      await byHand(program.opts<Places>(), { ...options, act: 'redirect', ids: [id], to });
    });
}

type Given = Omit<HandOptions, 'act' | 'ids' | 'to'>;

const withHand = (command: Command): Command =>
  command
    .option('--why <text>', 'the reason, for the record', '')
    .option('--by <name>', 'who does it, for the record; default: the user name of the caller')
    .option('--json', 'JSON, one value per id');
