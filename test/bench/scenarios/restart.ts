/**
 * After KILL to all processes: how long until the server greets, accepts a letter, and makes its first due
 * delivery. Due are letters that were accepted while the sink took nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { canHold, startWithBacklog } from '../backlog.ts';
import { checkpointed } from '../checkpointed.ts';
import { send } from '../load.ts';
import { canDropCaches, dropCaches } from '../machine.ts';
import type { Scenario } from '../scenario.ts';
import type { Server } from '../server.ts';
import { greetingAt, sendOne } from '../smtp-client.ts';
import type { Stage } from '../stage.ts';
import type { WaybillServer } from '../waybill-server.ts';
import { fixed, formatRows, median, thousands, type Row } from '../table.ts';

type Restart = {
  readonly server: string;
  readonly waiting: number;
  readonly cache: 'warm' | 'cold';
  /** Milliseconds from the start. */
  readonly greeting: number;
  readonly accept: number;
  readonly delivery: number;
  readonly mebibytes: number;
};

const scenario = 'restart';
const dueLetters = 200;
const mostUnderWay = 40;
const limitMs = 300_000;

/** In a third of the rounds with a cold cache, too, where that can be had. */
const cachesIn = (round: number): readonly Restart['cache'][] =>
  canDropCaches() && round % 3 === 1 ? ['warm', 'cold'] : ['warm'];

/** Postfix when it is alone: filling its queue takes longer than all the rest. */
const serversOf = ({ servers }: Stage): readonly string[] =>
  servers.length === 1 ? servers : servers.filter((name) => name === 'waybill');

const depthsOf = ({ options }: Stage, server: string): readonly number[] =>
  options.backlogs.filter((waiting) => waiting > 0 && canHold(server, waiting));

export const restartScenario: Scenario = {
  name: scenario,
  title: 'Restart after KILL, with recipients waiting: milliseconds from the start',
  steps(stage) {
    const rounds = Array.from({ length: stage.options.rounds }, (_, index) => index + 1);
    const each = 1 + rounds.flatMap(cachesIn).length;
    return serversOf(stage).reduce((sum, name) => sum + depthsOf(stage, name).length * each, 0);
  },
  async run(stage) {
    const { options, progress } = stage;
    const restarts: Restart[] = [];
    for (const name of serversOf(stage)) {
      for (const waiting of depthsOf(stage, name)) {
        const server = await stage.make(name);
        await startWithBacklog(stage, scenario, server, waiting);
        for (let round = 1; round <= options.rounds; round += 1) {
          for (const cache of cachesIn(round)) {
            progress.step(scenario, `round ${round}, ${name}, ${waiting} waiting, ${cache} cache`);
            const times = await restart(stage, server, cache);
            restarts.push({ server: name, waiting, cache, ...times });
          }
        }
        await stage.done(server);
      }
    }
    return { text: formatRestarts(restarts), data: restarts };
  },
};

async function restart(stage: Stage, server: Server, cache: Restart['cache']) {
  const { sink } = stage;
  await makeDue(stage, server);
  await writtenDown(stage, server);
  await server.kill();
  if (cache === 'cold') dropCaches();
  const base = sink.count();
  const from = performance.now();
  server.launch();
  const delivered = sink.reaches(base + 1, limitMs).then((at) => at - from);
  // Heard of below; a greeting that fails is told first.
  delivered.catch(() => undefined);
  const greeting = (await firstGreeting(server.port)) - from;
  const accept = (await firstAccept(server.port)) - from;
  const delivery = await delivered;
  // Those that were under way are in doubt, and wait for a time of their own.
  await sink.reaches(base + dueLetters - mostUnderWay, limitMs);
  await stage.calm(60_000);
  return { greeting, accept, delivery, mebibytes: server.group.memory() };
}

/** As any engine that ran for a while: with a checkpoint, however busy others of its roles still are. */
async function writtenDown({ progress }: Stage, server: Server): Promise<void> {
  if (server.name !== 'waybill') return;
  const { dataDir } = server as WaybillServer;
  if (!(await checkpointed(dataDir, limitMs)))
    progress.say(`no checkpoint within ${limitMs / 1000} s; killed without one`);
}

/** Letters that nobody takes until after the restart; accepted, so they must not be lost either. */
async function makeDue({ sink, options }: Stage, server: Server): Promise<void> {
  sink.pause();
  try {
    await send({
      ...{ port: server.port, to: 'user@sink.test', letters: dueLetters, reuse: true },
      ...{ sessions: options.sessions, bytes: options.bytes },
    });
    await sleep(200);
  } finally {
    sink.resume();
  }
}

async function firstGreeting(port: number): Promise<number> {
  for (const until = performance.now() + limitMs; performance.now() < until;) {
    if (await greetingAt(port)) return performance.now();
    await sleep(5);
  }
  throw new Error('it does not greet after a restart');
}

/** To the dead host: the sink hears of due letters only. */
async function firstAccept(port: number): Promise<number> {
  for (const until = performance.now() + limitMs; performance.now() < until;) {
    try {
      await sendOne(port, 'user@dead.test');
      return performance.now();
    } catch {
      await sleep(5);
    }
  }
  throw new Error('it accepts nothing after a restart');
}

function formatRestarts(restarts: readonly Restart[]): string {
  const titles = ['first greeting', 'first accept', 'first due delivery', 'MiB at rest'];
  const rows: Row[] = [['', 'waiting', 'page cache', ...titles]];
  const kindOf = ({ server, waiting, cache }: Restart) => `${server}|${waiting}|${cache}`;
  for (const kind of new Set(restarts.map(kindOf))) {
    const same = restarts.filter((each) => kindOf(each) === kind);
    const { server, waiting, cache } = same[0]!;
    const of = (key: 'greeting' | 'accept' | 'delivery' | 'mebibytes') =>
      fixed(median(same.map((each) => each[key])), 0);
    const cells = [of('greeting'), of('accept'), of('delivery'), of('mebibytes')];
    rows.push([server, thousands(waiting), cache, ...cells]);
  }
  return formatRows(rows, 1);
}
