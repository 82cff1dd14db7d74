/**
 * Folding a long log from its first event: as the engine does at a start without a checkpoint, and as
 * `waybill verify` does. How many events a second, in how much memory, and whether progress is shown.
 */
import { spawn } from 'node:child_process';
import { readable } from '../machine.ts';
import type { Options } from '../options.ts';
import type { Scenario } from '../scenario.ts';
import { seedHistory } from '../seed/seed.ts';
import type { Stage } from '../stage.ts';
import { fixed, formatRows, median, thousands, type Row } from '../table.ts';
import { waybillCommand, type WaybillServer } from '../waybill-server.ts';

type Replay = {
  readonly what: 'engine' | 'verify';
  readonly events: number;
  readonly seconds: number;
  readonly peakMebibytes: number;
  /** Lines about how far it is; verify shows them on a terminal only. */
  readonly progressLines?: number;
};

const scenario = 'replay';
const limitMs = 1_200_000;

/** It is long, and does not vary much. */
const roundsOf = ({ rounds }: Options): number => Math.ceil(rounds / 3);

export const replayScenario: Scenario = {
  name: scenario,
  title: 'Replay of a log without checkpoint',
  steps: ({ options, servers }) => (servers.includes('waybill') ? 1 + 2 * roundsOf(options) : 0),
  async run(stage) {
    const { options, servers, progress, ports } = stage;
    if (!servers.includes('waybill')) return { text: 'only Waybill has a log', data: [] };
    const replays: Replay[] = [];
    const lines: string[] = [];
    const server = await stage.makeWaybill({ onLine: (line) => lines.push(line) });
    let seeded = 0;
    progress.step(scenario, `${options.events} events are seeded`, () => seeded);
    const { events } = await seedHistory({
      ...{ dataDir: server.dataDir, now: Date.now(), bytes: options.seedBytes },
      ...{ events: options.events, to: { domain: 'dead.test', port: ports.dead } },
      onProgress: (done, of) => (seeded = Math.round((done / of) * options.events)),
    });
    for (let round = 1; round <= roundsOf(options); round += 1) {
      progress.step(scenario, `round ${round}, waybill verify`);
      await stage.calm();
      replays.push({ what: 'verify', events, ...(await verify(server)) });
      progress.step(scenario, `round ${round}, the engine starts`);
      lines.length = 0;
      replays.push({ what: 'engine', events, ...(await engine(stage, server, lines)) });
    }
    await stage.done(server);
    return { text: formatReplays(replays), data: replays };
  },
};

/** Killed afterwards, so that it never writes the checkpoint that would spare the next one its work. */
async function engine({ progress }: Stage, server: WaybillServer, lines: readonly string[]) {
  await server.start();
  const done = await until(() => lines.find((line) => line.includes('"log replayed"')));
  const { ms } = JSON.parse(done) as { ms: number };
  const queue = server.group.pids().find((pid) => nameOf(pid) === 'waybill queue');
  const peakMebibytes = queue === undefined ? 0 : peakOf(queue);
  const progressLines = lines.filter((line) => line.includes('"replaying the log"')).length;
  const bad = lines.find((line) => /"level":[56]0/.test(line));
  if (bad !== undefined) progress.say(`the engine says: ${bad}`);
  await server.kill();
  return { seconds: ms / 1000, peakMebibytes, progressLines };
}

async function until<T>(look: () => T | undefined): Promise<T> {
  for (const end = performance.now() + limitMs; performance.now() < end;) {
    const found = look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the engine does not say that it has replayed its log');
}

/** The command as a person runs it, its own start included. */
function verify(server: WaybillServer): Promise<{ seconds: number; peakMebibytes: number }> {
  const [program = '', ...args] = [...waybillCommand(server), 'verify', '--urgent', '--json'];
  const from = performance.now();
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: limitMs,
    killSignal: 'SIGKILL',
  });
  let answer = '';
  child.stdout.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  let peakMebibytes = 0;
  const timer = setInterval(
    () => (peakMebibytes = Math.max(peakMebibytes, peakOf(child.pid!))),
    50,
  );
  return new Promise((resolve, reject) => {
    child.once('close', (code) => {
      clearInterval(timer);
      const seconds = (performance.now() - from) / 1000;
      if (code === 0) resolve({ seconds, peakMebibytes });
      else reject(new Error(`waybill verify: exit ${code}: ${answer.slice(0, 500)}`));
    });
  });
}

/** The most that was ever resident, MiB. */
const peakOf = (pid: number): number =>
  Number(/^VmHWM:\s+(\d+)/m.exec(readable(`/proc/${pid}/status`) ?? '')?.[1] ?? 0) / 1024;

const nameOf = (pid: number): string | undefined =>
  readable(`/proc/${pid}/cmdline`)?.split('\0', 1)[0];

function formatReplays(replays: readonly Replay[]): string {
  const rows: Row[] = [['', 'events', 'events/s', 'seconds', 'peak RSS MiB', 'progress lines']];
  for (const what of ['engine', 'verify'] as const) {
    const same = replays.filter((each) => each.what === what);
    const of = (value: (replay: Replay) => number) => median(same.map(value));
    rows.push([
      what === 'engine' ? 'the engine (role queue)' : 'waybill verify (all of it)',
      thousands(same[0]?.events ?? 0),
      thousands(Math.round(of(({ events, seconds }) => events / seconds) ?? 0)),
      fixed(
        of(({ seconds }) => seconds),
        1,
      ),
      fixed(
        of(({ peakMebibytes }) => peakMebibytes),
        0,
      ),
      what === 'engine' ? fixed(same.at(-1)?.progressLines, 0) : 'a bar',
    ]);
  }
  return formatRows(rows, 1);
}
