/** `waybill ask`: one question, folded over the log; now, as it was, or as it goes on. Exit 100: it failed. */
import type { Asking, Caged } from '../ask/asking.ts';
import { CageDied } from '../ask/cage/process.ts';
import { toGiven, OptionMistake } from '../ask/given.ts';
import { loadAll, loadOne, refusedWords, type Loading } from '../ask/load.ts';
import { parkedWords } from '../ask/parked.ts';
import { answerBefore } from '../ask/restore.ts';
import { walk, type Walk, type Walked } from '../ask/walk.ts';
import { readConfig } from '../control/config.ts';
import { Trouble } from '../mail/trouble.ts';
import { safe } from '../trace/words.ts';
import type { Place } from './arguments.ts';
import { followAnswers } from './ask-follow.ts';
import { openPrinter, type Printer } from './ask-print.ts';
import { helpOf, listOf, ownOptions } from './ask-words.ts';
import { exitNever, exitTryLater } from './exit-codes.ts';
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

/** Clocks may have been set back: so much of it is forgiven. */
const setBackMs = 3_600_000;

export async function ask(
  places: Places,
  name: string | undefined,
  own: readonly string[],
  options: AskOptions,
): Promise<void> {
  const output = openOutput();
  const loading = { ...loadingOf(foldersOf(places)), low: options.urgent !== true };
  if (name === undefined) return list(loading, options, output);
  const caged = await found(name, { ...loading, onPrinted: printedBy(name) });
  try {
    await put(caged, places, own, options, output);
  } finally {
    caged.close();
  }
  await output.drained();
}

async function put(
  caged: Caged,
  places: Places,
  own: readonly string[],
  options: AskOptions,
  output: Output,
): Promise<void> {
  if (own.some((word) => word === '--help' || word === '-h')) {
    for (const line of helpOf(caged.named)) output.line(line);
    return;
  }
  if (options.follow === true && options.at !== undefined) {
    throw wrong('--follow goes on from now, --at looks back: one of them');
  }
  const asking = await startedWith(caged, own, options.since);
  const interrupted = new AbortController();
  const interrupt = (): void => {
    interrupted.abort();
    // It may be busy with something that has no end.
    if (options.follow !== true) asking.close();
  };
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    await withLog(places, (opened) =>
      tell({ opened, asking, options, output }, interrupted.signal),
    );
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
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

/** What its code prints is no part of its answer. */
const printedBy =
  (name: string) =>
  (line: string): void =>
    console.error(`waybill: the question ${name} prints: ${safe(line, 300)}`);

async function found(name: string, loading: Loading): Promise<Caged> {
  const one = await loadOne(name, loading);
  if (one === undefined) {
    throw new Trouble('not-found', {
      ...{ tryAgain: false, peer: 'no such question' },
      detail: `there is no question ${safe(name, 80)}: \`waybill ask\` lists those there are`,
    });
  }
  if (!('why' in one)) return one;
  throw new Trouble('not-found', {
    ...{ tryAgain: false, peer: 'no such question' },
    detail: safe(`the question ${name} failed: ${refusedWords(one)}`, 1_000),
  });
}

async function startedWith(
  caged: Caged,
  own: readonly string[],
  since: number | undefined,
): Promise<Asking> {
  const { named } = caged;
  try {
    return await caged.start(toGiven(named.question, ownOptions(named, own), since));
  } catch (cause) {
    if (cause instanceof CageDied) {
      const detail = safe(`the question ${named.name} failed: ${cause.message}`, 1_000);
      throw new Trouble('not-found', { tryAgain: false, peer: 'no answer', detail, cause });
    }
    if (!(cause instanceof OptionMistake)) throw cause;
    throw wrong(`${named.name}: ${safe(cause.message)}; see waybill ask ${named.name} --help`);
  }
}

const wrong = (detail: string): Trouble =>
  new Trouble('not-found', { tryAgain: false, peer: 'wrong usage', detail });

type Telling = {
  readonly opened: OpenedLog;
  readonly asking: Asking;
  readonly options: AskOptions;
  readonly output: Output;
};

async function tell(telling: Telling, interrupted: AbortSignal): Promise<void> {
  const { opened, asking, options, output } = telling;
  const printer = openPrinter(asking, output, options.json === true);
  const byLine = asking.named.question.byLine === true;
  const how = await howToWalk(telling, interrupted, printer);
  const walked = await walk(opened.log, asking, { ...how, upTo: options.at });
  if (interrupted.aborted) {
    how.end();
    // As a shell has it for SIGINT.
    process.exitCode = 130;
    return;
  }
  const goesOn = options.follow === true && asking.parked === undefined;
  if (!byLine && !goesOn) await tellAnswer(telling, printer, nowOf(options, walked), how);
  how.end();
  if (goesOn) {
    const [{ log }, urgent] = [opened, options.urgent === true];
    const from = walked.position;
    await followAnswers({ log, asking, printer, output, urgent, interrupted, from });
    if (interrupted.aborted) return;
  }
  if (asking.parked === undefined) return;
  process.exitCode = exitNever;
  complain(parkedWords(asking.named.name, asking.position, asking.parked));
}

/** A question that is parked, now or while it answers, tells what it had before. */
async function tellAnswer(
  { opened: { log }, asking }: Telling,
  printer: Printer,
  now: number,
  how: Walk,
): Promise<void> {
  const answer =
    asking.parked === undefined
      ? await asking.answer(now)
      : await answerBefore(log, asking, now, how);
  if (answer !== undefined) printer.answer(answer);
}

/** Gives way, shows how far it is, and ends when nobody listens. */
async function howToWalk(
  { opened, asking: { named, given, stream }, options: { urgent }, output }: Telling,
  interrupted: AbortSignal,
  printer: Printer,
): Promise<Walk & { end(): void }> {
  const { learns, byLine } = named.question;
  const progress = openProgress(`asking ${named.name}`);
  const way = giveWay(urgent === true ? 1 : shareOfReading);
  // Who need not learn of what was before is spared it.
  const isSpared = given.since !== undefined && learns !== true && stream === undefined;
  return {
    ...(isSpared ? { after: await opened.positionAt(given.since - setBackMs) } : {}),
    end: () => progress.end(),
    onLines: (lines) => printer.said(lines),
    onProgress: (position, head) => {
      // Lines are progress enough.
      if (byLine !== true) progress.tell(position, head, opened.unit);
    },
    rest: async (ranMs) => {
      await output.drained();
      await way.rest(ranMs);
      return output.gone || interrupted.aborted ? 'stop' : undefined;
    },
  };
}

const nowOf = ({ at }: AskOptions, walked: Walked): number => {
  if (at === undefined) return Date.now();
  return 'at' in at ? at.at : walked.at;
};
