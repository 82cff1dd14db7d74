/**
 * What watching costs the mail: the relay's rate with nobody looking, and with followers of the log and a
 * search that runs all the time. Looked at in turns; the log has a past to search.
 */
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openReader } from '../../../src/log/sqlite/open-reader.ts';
import { readable } from '../machine.ts';
import { calibrate, relay, type Run } from '../measure.ts';
import { openGroup, type Group } from '../meter.ts';
import { counted, formatRuns, medianOf } from '../run-table.ts';
import type { Scenario } from '../scenario.ts';
import { seedHistory } from '../seed/seed.ts';
import { killAll, spawnIn } from '../server.ts';
import type { Stage } from '../stage.ts';
import { fixed, median, ratio } from '../table.ts';
import { waybillCommand, type WaybillServer } from '../waybill-server.ts';
import { relayed } from '../work.ts';

const scenario = 'watch';
const historyEvents = 200_000;
/** For followers to hear of all that was: they give way to the mail, so it takes until after the run. */
const catchUpLimitMs = 120_000;

export const watchScenario: Scenario = {
  name: scenario,
  title: 'Watching: relay with and without followers of the log and a running search',
  steps: ({ options, servers }) => (servers.includes('waybill') ? 1 + 2 * options.rounds : 0),
  async run(stage) {
    const { options, servers, progress, ports, sink } = stage;
    if (!servers.includes('waybill')) return { text: 'only Waybill can be watched', data: [] };
    const server = await stage.makeWaybill();
    progress.step(scenario, `${historyEvents} events of a past are seeded`);
    await seedHistory({
      ...{ dataDir: server.dataDir, now: Date.now(), bytes: options.seedBytes },
      ...{ events: historyEvents, to: { domain: 'dead.test', port: ports.dead } },
    });
    await server.start();
    await stage.calm(60_000);
    const runs: Run[] = [];
    const lags: number[] = [];
    let letters: number | undefined;
    const measure = async (watched: boolean): Promise<void> => {
      const what = watched ? `${options.watchers} followers, a search` : 'nobody looks';
      progress.step(scenario, what, sink.count);
      letters ??= await calibrate(stage, async (count) => {
        const outcome = await relayed(stage, server, { mode: 'reused', letters: count });
        return outcome.finishSeconds;
      });
      const watchers = watched ? await openWatchers(stage, server, options.watchers) : undefined;
      const wish = { mode: 'reused', letters, beside: watchers?.group } as const;
      try {
        runs.push(await relay(stage, server, what, wish));
        if (watchers !== undefined) lags.push(await watchers.caughtUp(letters));
      } finally {
        await watchers?.close();
      }
    };
    for (let round = 1; round <= options.rounds; round += 1) {
      for (const watched of round % 2 === 1 ? [false, true] : [true, false]) await measure(watched);
    }
    await stage.done(server);
    return { text: formatWatch(runs, lags), data: { runs, secondsBehind: lags } };
  },
};

type Watchers = {
  readonly group: Group;
  /** Waits until every follower has written of so many letters; seconds from now. */
  caughtUp(letters: number): Promise<number>;
  close(): Promise<void>;
};

async function openWatchers(stage: Stage, server: WaybillServer, count: number): Promise<Watchers> {
  const group = openGroup('watchers');
  const forget = stage.include(group);
  const start = (...words: readonly string[]): ChildProcess =>
    spawnIn(group, [...waybillCommand(server), ...words], {});
  const log = openReader(join(server.dataDir, 'log/waybill.db'));
  // From its end on: the past is not what is watched.
  const next = String((await log.head()) + 1);
  log.close();
  const followers = Array.from({ length: count }, () => start('log', '--follow', '--from', next));
  const written = ({ pid }: ChildProcess) =>
    Number(/^wchar: (\d+)/m.exec(readable(`/proc/${pid}/io`) ?? '')?.[1] ?? 0);
  await quiet(group);
  const before = followers.map(written);
  let searching: ChildProcess | undefined;
  let going = true;
  const searches = (async () => {
    while (going) {
      searching = start('search', '--recipient', 'nobody@nowhere.test');
      await ended(searching);
    }
  })();
  return {
    group,
    async caughtUp(letters) {
      const from = performance.now();
      // A letter's five events are some 1,500 characters; half of that is enough to know.
      const wanted = letters * 750;
      while (followers.some((follower, index) => written(follower) - before[index]! < wanted)) {
        if (performance.now() - from > catchUpLimitMs) throw new Error('a follower hears nothing');
        await sleep(100);
      }
      return (performance.now() - from) / 1000;
    },
    async close() {
      going = false;
      await killAll(group);
      await Promise.all([searches, ...followers.map(ended)]);
      forget();
      group.close();
    },
  };
}

/** Until they use next to nothing, for a while at most. */
async function quiet(group: Group): Promise<void> {
  for (let tries = 0; tries < 20; tries += 1) {
    const { cpu } = group.read();
    await sleep(500);
    if (group.read().cpu - cpu < 0.05) return;
  }
}

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((done) => {
    if (child.exitCode !== null || child.signalCode !== null) done();
    else child.once('close', () => done());
  });

function formatWatch(runs: readonly Run[], lags: readonly number[]): string {
  const kinds = [...new Set(runs.map(({ what }) => what))];
  const alone = kinds.find((what) => what === 'nobody looks')!;
  const watched = kinds.find((what) => what !== alone)!;
  const rate = (what: string) => medianOf(counted(runs, 'waybill', what), 'finishedPerSecond');
  const cores = median(runs.flatMap(({ besideCores = [] }) => besideCores));
  return [
    formatRuns(runs),
    `rate with watchers to rate without: ${ratio(rate(watched), rate(alone))}`,
    `watchers used ${fixed(cores, 2)} cores during the runs, and had all of it ${fixed(Math.max(...lags), 1)} s after them`,
  ].join('\n');
}
