/**
 * `npm run bench`: Waybill and, where it is installed and we are root, Postfix, under the same load, in turns, on
 * the same disk. Prints a table per scenario; `--json FILE` has all figures; `--help` says what else there is.
 *
 * Exit codes: 0 done, 100 something is missing or mistyped, 111 a measurement failed.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism, release } from 'node:os';
import { freePort } from '../support/engine.ts';
import { missingPrograms, startSink, withoutPostfix } from './load.ts';
import { readOptions, type Options } from './options.ts';
import { openProgress, type Progress } from './progress.ts';
import type { Scenario } from './scenario.ts';
import { crowdScenario } from './scenarios/crowd.ts';
import { deepScenario } from './scenarios/deep.ts';
import { eventStoreScenario } from './scenarios/event-store.ts';
import { maildirScenario } from './scenarios/maildir.ts';
import { relayScenario } from './scenarios/relay.ts';
import { replayScenario } from './scenarios/replay.ts';
import { restartScenario } from './scenarios/restart.ts';
import { watchScenario } from './scenarios/watch.ts';
import { openStage, type Stage } from './stage.ts';

const scenarios: readonly Scenario[] = [
  relayScenario,
  maildirScenario,
  deepScenario,
  restartScenario,
  replayScenario,
  watchScenario,
  crowdScenario,
  eventStoreScenario,
];

const refuse = (words: string): never => {
  console.error(`bench: ${words}`);
  process.exit(100);
};

const options = optionsOrRefusal();
const missing = missingPrograms();
if (missing !== undefined) refuse(missing);
const progress = openProgress();
const stage = await openStage(
  options,
  takingPart(progress),
  await startSink(await freePort()),
  progress,
);
const json: { parts: Record<string, unknown>; [key: string]: unknown } = {
  date: new Date().toISOString(),
  machine: { cores: availableParallelism(), kernel: release(), node: process.version },
  options,
  parts: {},
};
// Ctrl-C leaves nothing behind either.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void close().finally(() => process.exit(130)));
}
try {
  const chosen = scenarios.filter(({ name }) => options.scenarios.includes(name));
  for (const { steps } of chosen) progress.expect(steps(stage));
  for (const scenario of chosen) await perform(scenario, stage);
} catch (cause) {
  progress.say(cause instanceof Error ? (cause.stack ?? cause.message) : String(cause));
  process.exitCode = 111;
} finally {
  await close();
}
process.exit();

async function perform(scenario: Scenario, on: Stage): Promise<void> {
  const { text, data } = await scenario.run(on);
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  console.log(`${scenario.title}\n\n${text}\n`);
  json.parts[scenario.name] = data;
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(json, null, 1)}\n`);
}

async function close(): Promise<void> {
  await stage.close();
  stage.sink.stop();
  progress.end();
}

function optionsOrRefusal(): Options {
  try {
    return readOptions(
      scenarios.map(({ name }) => name),
      scenarios.filter(({ whenAsked }) => whenAsked !== true).map(({ name }) => name),
    );
  } catch (cause) {
    return refuse(cause instanceof Error ? cause.message : String(cause));
  }
}

/** Postfix where it can; a comparison with nobody is still a measurement. */
function takingPart(told: Progress): readonly string[] {
  const why = withoutPostfix();
  if (why === undefined || !options.servers.includes('postfix')) return options.servers;
  told.say(`without Postfix: ${why}`);
  const others = options.servers.filter((name) => name !== 'postfix');
  return others.length > 0 ? others : refuse('nobody left to measure');
}
