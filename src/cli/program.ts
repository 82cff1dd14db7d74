/**
 * The command line. Each command is a file of its own and is loaded when it is called, so that a
 * small question gets a quick answer. Exit codes: 0 done, 100 never, 111 try later.
 */
import { Command, CommanderError } from 'commander';
import { isTrouble } from '../mail/trouble.ts';
import { version } from '../composition/version.ts';
import { commands } from './commands.ts';
import { exitNever, exitTryLater } from './exit-codes.ts';

const program = new Command('waybill')
  .description('All of qmail as an event-sourced mail-flow engine.')
  .version(version)
  .option('--config <dir>', 'configuration directory', process.env['WAYBILL_CONFIG'] ?? 'config')
  .option('--data <dir>', 'data directory', process.env['WAYBILL_DATA'] ?? 'data')
  .showHelpAfterError()
  .exitOverride();

for (const describe of commands) describe(program);

try {
  await program.parseAsync();
} catch (cause) {
  process.exitCode = exitCodeOf(cause);
  if (!(cause instanceof CommanderError)) {
    const words = cause instanceof Error ? cause.message : String(cause);
    // A terminal must not obey what a file or a far side put into an error.
    console.error(`waybill: ${words.replace(/[\p{Cc}\p{Bidi_Control}]+/gu, ' ')}`);
  }
}

/** Wrong usage is for ever; trouble says itself whether trying again makes sense. */
function exitCodeOf(cause: unknown): number {
  if (cause instanceof CommanderError) return cause.exitCode === 0 ? 0 : exitNever;
  if (isTrouble(cause)) return cause.tryAgain ? exitTryLater : exitNever;
  return exitTryLater;
}
