/** `waybill log copy` as the command line describes it. */
import { InvalidArgumentError, type Command } from 'commander';
import { toPlace, type Place } from './arguments.ts';
import type { LogCopyOptions } from './log-copy.ts';
import type { Places } from './places.ts';

const places = `PLACE: sqlite:DIR, a data directory; kurrentdb://…, kurrentdb+discover://…, an event store; or just
sqlite, which is --data, and kurrentdb, which is the event store of the configuration ([log] url).
Stop the engine first. Interrupted or killed, the same command goes on where it was.`;

/**
 * `--from` of `waybill log`, or of `waybill log copy`: its parser hears both, whichever comes. `trouble`: what is wrong
 * with it as a position or a time.
 */
export type LogFrom = Place | { readonly log: string; readonly trouble: string };

export const toLogFrom = (text: string): LogFrom => {
  if (/^(sqlite|kurrentdb)$|^[a-z]+(\+discover)?:(?!\d)/i.test(text)) {
    return { log: text, trouble: 'a log is for waybill log copy' };
  }
  try {
    return toPlace(text);
  } catch (cause) {
    if (!(cause instanceof InvalidArgumentError)) throw cause;
    return { log: text, trouble: cause.message };
  }
};

export function describeLogCopy(program: Command, log: Command): void {
  log
    .command('copy')
    .description('moves a log with its bodies to another place, and compares the two')
    .option('--from <place>', 'the log that is copied')
    .requiredOption('--to <place>', 'empty, or the beginning of the same log')
    .option('--verify-only', 'write nothing, compare only')
    .option('--leave-damaged', 'leave letters behind that have lost an event, and lost bodies')
    .option('--from-credentials <file>', 'user:password of an event store')
    .option('--to-credentials <file>', 'the same')
    .option('--from-bodies <dir>', 'where bodies are, if not in the event store')
    .option('--to-bodies <dir>', 'the same')
    .option('--json', 'JSON, one value per line: progress, then the result')
    .addHelpText('after', `\n${places}`)
    .action(async (own: Omit<LogCopyOptions, 'from'>, command: Command) => {
      // These two are options of `log` as well, which has taken them.
      const { from, json = false } = log.opts<{ from?: LogFrom; json?: boolean }>();
      if (from === undefined || !('log' in from)) {
        command.error('error: --from names no log: sqlite:DIR, kurrentdb://…, sqlite, kurrentdb');
      } else {
        const { logCopy } = await import('./log-copy.ts');
        await logCopy(program.opts<Places>(), { ...own, json, from: from.log });
      }
    });
}
