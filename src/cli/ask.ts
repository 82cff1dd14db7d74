/** `waybill ask`: one question, folded over the log; now, as it was, or as it goes on. Exit 111: it is parked. */
import { toGiven, OptionMistake } from '../ask/given.ts';
import { loadAll, loadOne, refusedWords, type Loading, type Refused } from '../ask/load.ts';
import type { Given, Named } from '../ask/ports.ts';
import { answerBefore } from '../ask/restore.ts';
import { answerOf, parkedWords, startRun, type Run } from '../ask/run.ts';
import { walk, type Walk, type Walked } from '../ask/walk.ts';
import { readConfig } from '../control/config.ts';
import { Trouble } from '../mail/trouble.ts';
import { positionBefore } from '../trace/pages.ts';
import { safe } from '../trace/words.ts';
import type { Place } from './arguments.ts';
import { followAnswers } from './ask-follow.ts';
import { openPrinter, type Printer } from './ask-print.ts';
import { helpOf, listOf, ownOptions } from './ask-words.ts';
import { exitTryLater } from './exit-codes.ts';
import { giveWay, shareOfReading } from './giving-way.ts';
import { withLog, type OpenedLog } from './open-log.ts';
import { openOutput, type Output } from './output.ts';
import type { Places } from './places.ts';
import { openProgress } from './progress.ts';
import { loadingOf } from './question-folders.ts';

export type AskOptions = {
  readonly at?: Place;
  readonly since?: number;
  readonly follow?: boolean;
  readonly urgent?: boolean;
  readonly json?: boolean;
};

/** A question of somebody's own may hang: so long may it take for 2,000 events, or for its answer. */
export const limitMs = 30_000;

export async function ask(
  places: Places,
  name: string | undefined,
  own: readonly string[],
  options: AskOptions,
): Promise<void> {
  const output = openOutput();
  const loading = loadingOf(foldersOf(places));
  if (name === undefined) return list(loading, options, output);
  const named = await found(name, loading);
  if (own.some((word) => word === '--help' || word === '-h')) {
    for (const line of helpOf(named)) output.line(line);
    return output.drained();
  }
  if (options.follow === true && options.at !== undefined) {
    throw wrong('--follow goes on from now, --at looks back: one of them');
  }
  const given = givenTo(named, own, options.since);
  await withLog(places, (opened) => tell(opened, named, given, options, output));
  await output.drained();
}

/** Questions of one's own are not worth a broken configuration: what comes along is asked all the same. */
function foldersOf({ config: dir }: Places): readonly string[] {
  try {
    return readConfig({ dir, env: process.env }).projections.folders;
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    console.error(`waybill: questions of your own are left out: ${safe(words)}`);
    return [];
  }
}

async function list(loading: Loading, { json }: AskOptions, output: Output): Promise<void> {
  const { questions, refused } = await loadAll(loading);
  for (const line of listOf(questions, json === true)) output.line(line);
  await output.drained();
  for (const each of refused) complain(refusedWords(each));
  if (refused.length > 0) process.exitCode = exitTryLater;
}

const complain = (words: string): void => console.error(`waybill: ${safe(words, 1_000)}`);

async function found(name: string, loading: Loading): Promise<Named> {
  const one: Named | Refused | undefined = await loadOne(name, loading);
  if (one === undefined) {
    throw new Trouble('not-found', {
      ...{ tryAgain: false, peer: 'no such question' },
      detail: `there is no question ${safe(name, 80)}: \`waybill ask\` lists those there are`,
    });
  }
  if (!('why' in one)) return one;
  throw new Trouble('not-found', {
    ...{ tryAgain: true, peer: 'no such question', detail: safe(refusedWords(one), 1_000) },
  });
}

function givenTo(named: Named, own: readonly string[], since: number | undefined): Given {
  try {
    const given = toGiven(named.question, ownOptions(named, own), since);
    startRun(named, given);
    return given;
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    const hint = cause instanceof OptionMistake ? `; see waybill ask ${named.name} --help` : '';
    throw wrong(`${named.name}: ${safe(words)}${hint}`);
  }
}

const wrong = (detail: string): Trouble =>
  new Trouble('not-found', { tryAgain: false, peer: 'wrong usage', detail });

async function tell(
  opened: OpenedLog,
  named: Named,
  given: Given,
  options: AskOptions,
  output: Output,
): Promise<void> {
  const run = startRun(named, given);
  const printer = openPrinter(run, output, options.json === true);
  const isStream = named.question.said !== undefined;
  const how = await howToWalk(opened, run, options, output);
  const walked = await walk(opened.log, [run], {
    ...{ ...how, upTo: options.at },
    ...(isStream ? { onHeard: () => printer.said() } : {}),
  });
  if (walked.interrupted === true) {
    how.end();
    // As a shell has it for SIGINT.
    process.exitCode = 130;
    return;
  }
  const goesOn = options.follow === true && run.parked === undefined;
  if (!isStream && !goesOn) await tellAnswer(opened, run, printer, nowOf(options, walked), how);
  how.end();
  if (goesOn) {
    const urgent = options.urgent === true;
    const { log } = opened;
    await followAnswers({ log, run, printer, output, urgent, limitMs, from: walked.position });
  }
  if (run.parked === undefined) return;
  process.exitCode = exitTryLater;
  complain(parkedWords(run, run.parked));
}

/** A question that is parked, now or while it answers, tells what it had before. */
async function tellAnswer(
  { log }: OpenedLog,
  run: Run,
  printer: Printer,
  now: number,
  how: Walk,
): Promise<void> {
  const answer =
    run.parked === undefined ? answerOf(run, now) : await answerBefore(log, run, now, how);
  if (answer !== undefined) printer.answer(answer);
}

/** Gives way, shows how far it is, and ends when nobody listens. */
async function howToWalk(
  opened: OpenedLog,
  { named, given, stream }: Run,
  { urgent }: AskOptions,
  output: Output,
): Promise<Walk & { end(): void }> {
  const { learns, said } = named.question;
  const progress = openProgress(`asking ${named.name}`);
  const way = giveWay(urgent === true ? 1 : shareOfReading);
  // Who need not learn of what was before is spared it.
  const isSpared = given.since !== undefined && learns !== true && stream === undefined;
  return {
    ...{ limitMs, end: () => progress.end() },
    ...(isSpared ? { after: await positionBefore(opened.log, given.since) } : {}),
    onProgress: (position, head) => {
      // Lines are progress enough.
      if (said === undefined) progress.tell(position, head);
    },
    rest: async () => {
      await output.drained();
      await way.rest();
      return output.gone ? 'stop' : undefined;
    },
  };
}

const nowOf = ({ at }: AskOptions, walked: Walked): number => {
  if (at === undefined) return Date.now();
  return 'at' in at ? at.at : walked.at;
};
