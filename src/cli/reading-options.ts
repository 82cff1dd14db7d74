/** The commands that read the log, as the command line describes them. Each loads its work when called. */
import type { Command } from 'commander';
import type { SearchStatus } from '../trace/search.ts';
import {
  toBytes,
  toConsumerName,
  toCount,
  toHeaderId,
  toInstant,
  toList,
  toOneOf,
  toPlace,
} from './arguments.ts';
import { describeLogCopy, toLogFrom, type LogFrom } from './log-copy-options.ts';
import type { LogOptions } from './log.ts';
import type { Places } from './places.ts';
import type { QueueOptions } from './queue.ts';
import type { SearchOptions } from './search.ts';
import type { VerifyOptions } from './verify.ts';
import type { WhyOptions } from './why.ts';

type Json = { readonly json?: boolean };

const times =
  'TIME: 2026-11-21, 2026-11-21T06:00, -2h, yesterday 06:00, tuesday 02:00; UTC without a zone.';
const ids = 'ID: the whole id, or its first or last digits where only one letter has them.';
const json = ['--json', 'JSON, one value per line'] as const;
const urgent = ['--urgent', 'do not give way to the mail when the machine is busy'] as const;
const statuses = [
  'waiting',
  'held',
  'delivered',
  'failed',
  'bounced',
  'doubt',
  'cancelled',
  'done',
] as const satisfies readonly SearchStatus[];

export function describeQueue(program: Command): void {
  program
    .command('queue')
    .description('what waits, why, until when; now or at any instant of the past')
    .option('--at <place>', 'as it stood at a time, or after the event at a position', toPlace)
    .option('--limit <n>', 'at most so many recipients, those due first', toCount, 1000)
    .option(...json)
    .addHelpText('after', `\n${times}`)
    .action(async (options: QueueOptions) => {
      const { queue } = await import('./queue.ts');
      await queue(program.opts<Places>(), options);
    });
}

export function describeTrace(program: Command): void {
  program
    .command('trace')
    .description("one letter's story, oldest first, with its bounces and forwards")
    .argument('<id>', 'the letter')
    .option(...json)
    .addHelpText('after', `\n${ids}`)
    .action(async (id: string, options: Json) => {
      const { trace } = await import('./trace.ts');
      await trace(program.opts<Places>(), id, options);
    });
}

export function describeWhy(program: Command): void {
  program
    .command('why')
    .description('the decisions behind its present or past state: rules, replies, schedule, waits')
    .argument(
      '<id>',
      'the letter, or ID/RECIPIENT with the number or address of one recipient; or an address, @domain or IP address: what the doors refused',
    )
    .option('--at <place>', 'as it stood at a time, or after the event at a position', toPlace)
    .option('--limit <n>', 'at most so many refusals, the newest first', toCount, 10)
    .option(...json)
    .addHelpText('after', `\n${ids}\n${times}`)
    .action(async (id: string, options: WhyOptions) => {
      const { why } = await import('./why.ts');
      await why(program.opts<Places>(), id, options);
    });
}

export function describeSearch(program: Command): void {
  program
    .command('search')
    .description('letters that match; all that is asked must hold, and for the same recipient')
    .option(
      '--sender <address>',
      'return path: address, @domain or pattern with *; "<>" for bounces',
    )
    .option('--recipient <address>', 'a recipient, as above')
    .option('--domain <domain>', 'of the return path or of a recipient')
    .option('--since <time>', 'accepted at or after', toInstant)
    .option('--until <time>', 'accepted at or before', toInstant)
    .option('--status <status>', statuses.join(', '), toOneOf(statuses))
    .option('--id <part>', 'part of the id')
    .option('--message-id <id>', "the Message-ID of the letter's header", toHeaderId)
    .option('--host <host>', 'next hop, or name or address of the host that answered')
    .option('--reply <text>', 'part of a reply')
    .option('--min-size <bytes>', 'at least so large: 500K, 20M', toBytes)
    .option('--max-size <bytes>', 'at most so large', toBytes)
    .option('--parent <id>', 'the letter that it bounced or was forwarded from')
    .option('--limit <n>', 'at most so many letters', toCount)
    .option('--before <id>', 'accepted before this letter: further back')
    .option('--no-views', 'through the log from its end, without the views')
    .option(...urgent)
    .option(...json)
    .addHelpText('after', `\n${times}`)
    .action(async (options: SearchOptions) => {
      const { search } = await import('./search.ts');
      await search(program.opts<Places>(), options);
    });
}

export function describeLog(program: Command): void {
  const command = program
    .command('log')
    .description('the events themselves, JSON, one per line')
    .option('--from <place>', 'begin with the event at this position, or at a time', toLogFrom)
    .option('--follow', 'go on with what comes, until interrupted')
    .option(
      '--checkpoint <name>',
      'go on where the consumer of this name stands; see docs/CONSUMERS.md',
      toConsumerName,
    )
    .option('--ack', 'with --checkpoint: stdin says, a position a line, what is handled')
    .option('--type <type>', 'only events of this type; several with commas', toList)
    .option('--stream <stream>', 'only this stream, or all of a category such as message or node')
    .option('--limit <n>', 'at most so many events', toCount)
    .option(...urgent)
    .option('--json', 'as it is anyway')
    .addHelpText('after', `\n${times}`)
    .action(
      async ({ from, ...options }: Omit<LogOptions, 'from'> & { from?: LogFrom }, it: Command) => {
        if (options.ack === true && options.checkpoint === undefined) {
          it.error('error: --ack needs --checkpoint');
        }
        if (from !== undefined && 'log' in from) {
          it.error(`error: --from is a position or a time; ${from.trouble}`);
        } else {
          const { log } = await import('./log.ts');
          await log(program.opts<Places>(), {
            ...options,
            ...(from === undefined ? {} : { from }),
          });
        }
      },
    );
  describeLogCopy(program, command);
}

export function describeConsumers(program: Command): void {
  program
    .command('consumers')
    .description('who reads the log with a checkpoint, and how far behind each is')
    .option(...json)
    .action(async (options: Json) => {
      const { listConsumers } = await import('./consumers.ts');
      await listConsumers(program.opts<Places>(), options);
    })
    .command('forget')
    .description('throws a checkpoint away: the next of that name begins with the first event')
    .argument('<name>', 'the consumer', toConsumerName)
    .action(async (name: string) => {
      const { forget } = await import('./consumers.ts');
      await forget(program.opts<Places>(), name);
    });
}

export function describeVerify(program: Command): void {
  program
    .command('verify')
    .description(
      'refold everything: checksums, balance, attempts, bodies, checkpoint; exit 100 for a fault',
    )
    .option(...urgent)
    .option('--json', 'JSON, a single object')
    .action(async (options: VerifyOptions) => {
      const { verifyLog } = await import('./verify.ts');
      await verifyLog(program.opts<Places>(), options);
    });
}
