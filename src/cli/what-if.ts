/**
 * `waybill what-if`: the past, judged again under another configuration. Differences are an answer, not a failure:
 * exit 0, or 100 with `--exit-code`, for scripts that want to know whether there are any.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readConfig, type Config } from '../control/config.ts';
import { readControls, type LoadedControls } from '../control/disk.ts';
import { moreHosts } from '../control/more-hosts.ts';
import { isTrouble } from '../mail/trouble.ts';
import { toAsciiJson } from '../trace/json.ts';
import type { NodeHistory } from '../trace/rules-of-the-day.ts';
import { count, formatInstant } from '../trace/words.ts';
import type { Difference, Summary } from '../what-if/differences.ts';
import type { TwoHomes } from '../what-if/ports.ts';
import { toRuleSet, type RuleSet } from '../what-if/rule-set.ts';
import { whatIf, type WhatIf } from '../what-if/what-if.ts';
import { formatDifference, formatSummary } from '../what-if/words.ts';
import { checkConfig, formatFinding, type Finding } from './check-config.ts';
import { exitNever } from './exit-codes.ts';
import { giveWay, shareOfReading } from './giving-way.ts';
import { withLog } from './open-log.ts';
import { openWords, type Output } from './output.ts';
import type { Places } from './places.ts';
import { openProgress } from './progress.ts';
import { homesOf } from './local-homes.ts';

export type WhatIfOptions = {
  readonly since?: number;
  readonly until?: number;
  /** The engine's own configuration directory, for what the log does not hold. */
  readonly before?: string;
  readonly limit?: number;
  readonly urgent?: boolean;
  readonly exitCode?: boolean;
  readonly json?: boolean;
};

/** Differences that are kept until the sum is known. */
const usualLimit = 1_000;

export async function tellWhatIf(places: Places, options: WhatIfOptions): Promise<void> {
  const { since, until, urgent = false, json = false } = options;
  const { limit = json ? Infinity : usualLimit } = options;
  const config = readConfig({ dir: places.config, env: process.env, data: places.data });
  const controls = readControls(config.controlDir);
  const remarks = remarksOn(places);
  const output = openWords(json);
  const progress = openProgress('judging again');
  const way = giveWay(urgent ? 1 : shareOfReading);
  const summary = await withLog(places, async ({ log, unit, nodeHistory }) => {
    const history = await nodeHistory();
    const before = configBefore(options, places, history);
    const question: WhatIf = {
      ...{ log, history, rules: rulesOf(config, controls) },
      ...(since === undefined ? {} : { since }),
      ...(until === undefined ? {} : { until }),
      ...(before === undefined ? {} : { homes: twoHomes(before, config) }),
      ...(before?.log.copyTo === undefined ? {} : { copyTo: before.log.copyTo }),
      onProgress: (position, upTo) => progress.tell(position, upTo, unit),
      rest: way.rest,
    };
    return json
      ? streamed(question, output, limit, progress.end)
      : collected(question, output, limit, progress.end);
  });
  if (json) output.line(toAsciiJson({ summary, warnings: remarks }));
  else for (const remark of remarks) console.error(formatFinding(remark, 'warning: '));
  await output.drained();
  const { letters, refusals } = summary.differing;
  if (options.exitCode === true && letters + refusals > 0) process.exitCode = exitNever;
}

/** What `waybill check` says of them, for a difference may come of a slip; what nothing would start with is among it. */
function remarksOn(places: Places): readonly Finding[] {
  const { mistakes, warnings } = checkConfig(places, Date.now());
  const fatal = mistakes.map((mistake) => ({
    ...mistake,
    message: `nothing starts with it: ${mistake.message}`,
  }));
  return [...fatal, ...warnings];
}

function rulesOf({ controlDir }: Config, { files, digest, controls }: LoadedControls): RuleSet {
  const database = join(controlDir, 'morercpthosts.cdb');
  return toRuleSet(files, {
    ...{ digest, where: controlDir },
    ...(existsSync(database)
      ? { moreHosts: moreHosts(database, () => controls.morercpthosts) }
      : {}),
  });
}

/** Named, or else where the engine's is by default, if those are the control files that the log says it uses. */
function configBefore(
  { before }: WhatIfOptions,
  { config, data }: Places,
  { newest }: NodeHistory,
): Config | undefined {
  const read = (dir: string) => readConfig({ dir, env: process.env, data });
  if (before !== undefined) return read(before);
  const usual = process.env['WAYBILL_CONFIG'] ?? 'config';
  if (resolve(usual) === resolve(config)) return undefined;
  try {
    const found = read(usual);
    return readControls(found.controlDir).digest === newest?.digest ? found : undefined;
  } catch (cause) {
    if (isTrouble(cause)) return undefined;
    throw cause;
  }
}

const twoHomes = (before: Config, after: Config): TwoHomes => ({
  was: homesOf(before),
  wouldBe: homesOf(after),
});

/** The sum first, then as many differences as are kept. */
async function collected(
  question: WhatIf,
  output: Output,
  limit: number,
  done: () => void,
): Promise<Summary> {
  const kept: Difference[] = [];
  let all = 0;
  const summary = await each(question, async (difference) => {
    all += 1;
    if (kept.length < limit) kept.push(difference);
  });
  done();
  for (const line of formatSummary(summary)) output.line(line);
  for (const difference of kept) {
    for (const line of formatDifference(difference)) output.line(line);
    if (output.gone) break;
  }
  const more = all - kept.length;
  if (more > 0) console.error(`waybill: ${count(more, 'more difference')} (see --limit, --json)`);
  return summary;
}

/** So many lines are written before we wait for whoever reads them. */
const linesAtOnce = 100;

/** Each as it is found, however many. */
async function streamed(
  question: WhatIf,
  output: Output,
  limit: number,
  done: () => void,
): Promise<Summary> {
  let told = 0;
  const summary = await each(question, async (difference) => {
    if (told >= limit || output.gone) return;
    told += 1;
    output.line(toAsciiJson(withInstants(difference)));
    if (told % linesAtOnce === 0) await output.drained();
  });
  done();
  return summary;
}

async function each(
  question: WhatIf,
  tell: (difference: Difference) => Promise<void>,
): Promise<Summary> {
  const walk = whatIf(question);
  for (;;) {
    const next = await walk.next();
    if (next.done === true) return next.value;
    await tell(next.value);
  }
}

const withInstants = (value: object): unknown =>
  JSON.parse(JSON.stringify(value), (key, each: unknown) =>
    typeof each === 'number' && (key === 'at' || key === 'dueAt')
      ? formatInstant(each, 'ms')
      : each,
  );
