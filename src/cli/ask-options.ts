/** `waybill ask`, as the command line describes it. A question's own options are known when it is loaded. */
import type { Command } from 'commander';
import { toInstant, toPlace } from './arguments.ts';
import type { AskOptions } from './ask.ts';
import type { Places } from './places.ts';

const help = `
Without NAME: the questions there are. \`waybill ask NAME --help\`: what one is about, and its own options.
Questions of one's own: [projections] folders in waybill.toml, see projections/README.md.
TIME: 2026-11-21, 2026-11-21T06:00, -2h, yesterday 06:00, tuesday 02:00; UTC without a zone.`;

export function describeAsk(program: Command): void {
  const command = program
    .command('ask')
    .description(
      'a question to the whole log: reports, statistics, a log as qmail wrote it; or one of your own',
    )
    .argument('[name]', 'the question')
    .argument('[options...]', "the question's own options")
    .option('--at <place>', 'as it was at a time, or after the event at a position', toPlace)
    .option('--since <time>', 'count nothing that happened before', toInstant)
    .option('--follow', 'go on with what comes, until interrupted')
    .option('--urgent', 'do not give way to the mail when the machine is busy')
    .option('--json', 'JSON, one value per row or line; with --follow one per answer')
    .helpOption(false)
    .allowUnknownOption()
    .addHelpText('after', help);
  command.action(async (name: string | undefined, own: readonly string[], options: AskOptions) => {
    const isHelp = [name, ...own].some((word) => word === '--help' || word === '-h');
    if (isHelp && (name === undefined || name.startsWith('-'))) return command.outputHelp();
    const { ask } = await import('./ask.ts');
    await ask(program.opts<Places>(), name, own, options);
  });
}
