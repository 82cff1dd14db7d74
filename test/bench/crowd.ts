/**
 * A crowd at the door: clients that hold a connection and say nothing, clients that send a byte a second,
 * and how long new mail takes meanwhile. Prints figures; nothing here passes or fails.
 *
 *     node test/bench/crowd.ts [--idle 10000] [--drips 200] [--doors 1] [--places N] [--letters 100]
 *                              [--idle-timeout 60] [--busy-timeout 20] [--json FILE]
 *
 * `--places`: max_connections, at first a little more than the crowd. Half of the drips are of a command, half
 * of a letter. `ulimit -n` must allow as many files as there are clients, here and in each door.
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openFilesLimit } from '../../src/platform/open-files.ts';
import { dripping, farewells, loiter, type Loiterer } from '../support/crowd.ts';
import { makeEngine } from '../support/engine.ts';
import { handIn } from '../support/smtp-talk.ts';
import { rolesOf } from './roles.ts';

const { values } = parseArgs({
  options: {
    idle: { type: 'string', default: '10000' },
    drips: { type: 'string', default: '200' },
    doors: { type: 'string', default: '1' },
    places: { type: 'string' },
    letters: { type: 'string', default: '100' },
    'idle-timeout': { type: 'string', default: '60' },
    'busy-timeout': { type: 'string', default: '20' },
    json: { type: 'string' },
  },
});
const [idleCount, dripCount] = [Number(values.idle), Number(values.drips)];
const doors = Number(values.doors);
const letters = Number(values.letters);
// The kernel does not share connections out evenly, and each door has its own share of places.
const places = Number(values.places ?? Math.ceil((idleCount + dripCount) * (doors > 1 ? 2 : 1.2)));
const needed = idleCount + dripCount + 200;
const allowed = openFilesLimit() ?? Infinity;
if (needed > allowed) {
  console.error(`crowd: ${needed} files wanted, ulimit -n is ${allowed}`);
  process.exit(111);
}

const engine = await makeEngine({
  control: { 'tcp.smtp': ':allow\n' },
  env: {
    WAYBILL_DOOR_PROCESSES: String(doors),
    WAYBILL_DOOR_MAX_CONNECTIONS: String(places),
    WAYBILL_DOOR_MAX_CONNECTIONS_PER_IP: '0',
    WAYBILL_DOOR_IDLE_TIMEOUT_S: values['idle-timeout'],
    WAYBILL_DOOR_BUSY_TIMEOUT_S: values['busy-timeout'],
  },
});
const kibibytes = (role: string): number => {
  const pids = engine.pids().flatMap((each) => (each.role === role ? [each.pid] : []));
  return rolesOf(pids).reduce((sum, { mebibytes }) => sum + mebibytes * 1024, 0);
};

/** So many letters, one every 50 ms at most: milliseconds each, sorted; a letter refused counts as endless. */
async function newMail(): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < letters; n += 1) {
    const from = performance.now();
    const letter = {
      from: 'you@far.test',
      to: ['demo@demo.test'],
      body: 'Subject: x\r\n\r\nx\r\n',
    };
    const reply = await handIn(engine.port, letter).catch(String);
    times.push(reply.startsWith('250') ? performance.now() - from : Infinity);
    await sleep(50);
  }
  return times.sort((a, b) => a - b);
}

const spread = (times: readonly number[]) => ({
  median: times[times.length >> 1]!,
  max: times.at(-1)!,
  refused: times.filter((ms) => ms === Infinity).length,
});

/** When the first and the last of them were sent away, in seconds after they came. */
function stays(loiterers: readonly Loiterer[]): { first: number; last: number; left: number } {
  const ended = loiterers.flatMap(({ stayedMs }) => stayedMs() ?? []);
  const seconds = (ms: number) => Math.round(ms / 100) / 10;
  return {
    first: seconds(Math.min(...ended)),
    last: seconds(Math.max(...ended)),
    left: loiterers.length - ended.length,
  };
}

try {
  await engine.start();
  const quiet = spread(await newMail());
  const before = kibibytes('door');
  const from = performance.now();
  const idle = await loiter(engine.port, idleCount);
  const arrived = (performance.now() - from) / 1000;
  await sleep(1_000);
  const perIdle = (kibibytes('door') - before) / idleCount;
  const drips = [
    ...(await loiter(engine.port, dripCount >> 1, dripping('command'))),
    ...(await loiter(engine.port, dripCount - (dripCount >> 1), dripping('letter'))),
  ];
  const crowded = spread(await newMail());
  const peak = kibibytes('door');
  const stayed = [...idle, ...drips].filter(({ stayedMs }) => stayedMs() === undefined).length;
  const until = performance.now() + (Number(values['idle-timeout']) + 30) * 1000;
  while (performance.now() < until) {
    if ([...idle, ...drips].every(({ stayedMs }) => stayedMs() !== undefined)) break;
    await sleep(500);
  }
  const figures = {
    ...{ idle: idleCount, drips: dripCount, doors, places },
    ...{ arrivedInSeconds: arrived, stayedDuringMail: stayed },
    ...{ newMailMs: { quiet, crowded } },
    doorKibibytes: { before, crowded: peak, perIdleConnection: perIdle },
    sentHome: { idle: farewells(idle), drips: farewells(drips) },
    staySeconds: { idle: stays(idle), drips: stays(drips) },
  };
  const ms = ({ median, max, refused }: typeof quiet) =>
    `median ${median.toFixed(0)} ms, max ${max.toFixed(0)} ms, ${refused} refused`;
  console.log(
    `${idleCount} idle in ${arrived.toFixed(1)} s, ${dripCount} drips; ${places} places, ${doors} door(s)`,
  );
  console.log(`new mail, nobody there   ${ms(quiet)}`);
  console.log(`new mail, ${String(stayed).padStart(6)} there   ${ms(crowded)}`);
  console.log(
    `door memory              ${(before / 1024).toFixed(0)} → ${(peak / 1024).toFixed(0)} MiB, ` +
      `${perIdle.toFixed(1)} KiB per idle connection`,
  );
  for (const [name, { first, last, left }] of Object.entries(figures.staySeconds)) {
    const words = JSON.stringify(figures.sentHome[name as 'idle' | 'drips']);
    console.log(
      `${name.padEnd(6)} sent home      ${words} after ${first} to ${last} s, ${left} still there`,
    );
  }
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(figures, null, 2));
} finally {
  await engine.remove();
}
process.exit(0);
