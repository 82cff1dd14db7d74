/**
 * The relay of fresh mail while many recipients wait: how rate, the time to a 250, and memory grow with the
 * queue. The same server runs once per length of the queue, all at the same time; they are measured in turns.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { canHold, startWithBacklog } from '../backlog.ts';
import { calibrate, relay, undisturbed, type Run } from '../measure.ts';
import { counted, medianOf } from '../run-table.ts';
import type { Scenario } from '../scenario.ts';
import type { Server } from '../server.ts';
import type { Stage } from '../stage.ts';
import { fixed, formatRows, median, quantile, ratio, thousands, type Row } from '../table.ts';
import type { WaybillServer } from '../waybill-server.ts';
import { relayed, type Mode } from '../work.ts';

type Depth = {
  readonly server: string;
  readonly waiting: number;
  readonly runs: Run[];
  /** Of all roles: before the load, with nothing to do, and after it. */
  restingMebibytes: number;
  loadedMebibytes: number;
  logMebibytes?: number;
  checkpointMebibytes?: number;
};

const scenario = 'deep';

/** Postfix with reused connections only: what it does with a connection per letter, `relay` says. */
const modesOf = (server: string): readonly Mode[] =>
  server === 'waybill' ? ['reused', 'per letter'] : ['reused'];

const depthsOf = ({ options }: Stage, server: string): readonly number[] =>
  options.backlogs.filter((waiting) => canHold(server, waiting));

export const deepScenario: Scenario = {
  name: scenario,
  title: 'Deep queue: relay of fresh mail while recipients wait',
  steps: (stage) =>
    stage.servers.reduce((sum, server) => {
      const { length } = depthsOf(stage, server);
      return sum + length * (1 + stage.options.rounds * modesOf(server).length);
    }, 0),
  async run(stage) {
    const depths: Depth[] = [];
    for (const name of stage.servers) depths.push(...(await measureServer(stage, name)));
    return { text: formatDepths(depths), data: depths };
  },
};

async function measureServer(stage: Stage, name: string): Promise<readonly Depth[]> {
  const { options, progress, sink } = stage;
  const all: { depth: Depth; server: Server }[] = [];
  for (const waiting of depthsOf(stage, name)) {
    const server = await stage.make(name);
    await startWithBacklog(stage, scenario, server, waiting);
    const restingMebibytes = server.group.memory();
    all.push({
      server,
      depth: { server: name, waiting, runs: [], restingMebibytes, loadedMebibytes: 0 },
    });
  }
  const letters = new Map<Mode, number>();
  for (let round = 1; round <= options.rounds; round += 1) {
    // Every other round backwards: nobody always comes first.
    for (const { server, depth } of round % 2 === 1 ? all : all.toReversed()) {
      for (const mode of modesOf(name)) {
        const what = `round ${round}, ${name}, ${mode}, ${depth.waiting} waiting`;
        progress.step(scenario, what, sink.count);
        if (round === 1) {
          const warmed = await calibrate(stage, async (count) => {
            const outcome = await relayed(stage, server, { mode, letters: count });
            return outcome.finishSeconds;
          });
          if (!letters.has(mode)) letters.set(mode, warmed);
        }
        const wish = { mode, letters: letters.get(mode)!, timed: true };
        depth.runs.push(await undisturbed(stage, () => relay(stage, server, mode, wish)));
      }
    }
  }
  for (const { server, depth } of all) {
    depth.loadedMebibytes = server.group.memory();
    await stage.done(server);
    if (name === 'waybill') Object.assign(depth, filesOf((server as WaybillServer).dataDir));
  }
  return all.map(({ depth }) => depth);
}

/** After an orderly stop there is a checkpoint. */
const filesOf = (dataDir: string) => ({
  logMebibytes: mebibytes(join(dataDir, 'log/waybill.db')),
  checkpointMebibytes: mebibytes(join(dataDir, 'checkpoints/agenda')),
});

function mebibytes(file: string): number {
  return (statSync(file, { throwIfNoEntry: false })?.size ?? 0) / 1024 / 1024;
}

const columns = [
  ...['reused/s', 'to empty', 'p50 ms', 'p99 ms', 'to empty', 'per letter/s', 'to empty'],
  ...['CPU ms', 'at rest MiB', 'after load MiB', 'checkpoint MiB', 'log MiB'],
];

/** `to empty`: the ratio to the first line of the same server. */
function formatDepths(depths: readonly Depth[]): string {
  const rows: Row[] = [['', 'waiting', ...columns]];
  for (const depth of depths) {
    const first = depths.find(({ server }) => server === depth.server)!;
    const rate = ({ runs, server }: Depth, mode: Mode) =>
      medianOf(counted(runs, server, mode), 'finishedPerSecond');
    const time = (of: Depth, part: number) => quantile(acceptTimes(of), part);
    const mark = depth.runs.some(({ disturbed }) => disturbed) ? ' ~' : '';
    rows.push([
      `${depth.server}${mark}`,
      thousands(depth.waiting),
      fixed(rate(depth, 'reused'), 0),
      ratio(rate(depth, 'reused'), rate(first, 'reused')),
      fixed(time(depth, 0.5), 1),
      fixed(time(depth, 0.99), 1),
      ratio(time(depth, 0.99), time(first, 0.99)),
      fixed(rate(depth, 'per letter'), 0),
      ratio(rate(depth, 'per letter'), rate(first, 'per letter')),
      fixed(median(counted(depth.runs, depth.server, 'reused').map(({ cpuMs }) => cpuMs)), 2),
      fixed(depth.restingMebibytes, 0),
      fixed(depth.loadedMebibytes, 0),
      fixed(depth.checkpointMebibytes, 1),
      fixed(depth.logMebibytes, 0),
    ]);
  }
  const note = 'p50 and p99: from the final dot to the 250, under the load of reused connections';
  return `${formatRows(rows, 1)}\n${note}`;
}

/** Of all rounds together: a round alone has too few for its hundredth part. */
const acceptTimes = ({ runs, server }: Depth): readonly number[] =>
  counted(runs, server, 'reused').flatMap(({ timings = [] }) =>
    timings.map(({ accept }) => accept),
  );
