/**
 * `npm run bench`: Waybill and, where it is installed and we are root, Postfix, under the same load, in
 * turns, on the same disk. Prints ratios and costs per letter; `--json FILE` writes all figures.
 *
 * Options: --letters N (per run, default 5000), --rounds N (3), --backlog N (deferred letters for the deep
 * queue, 20000; 0 leaves it out), --bytes N (4096), --only waybill|postfix, --folder DIR (default: build/bench
 * under the temporary directory), --json FILE.
 */
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { freePort } from '../support/engine.ts';
import { postfixProgram, send, sinkProgram, sourceProgram, startSink, type Sink } from './load.ts';
import { postfix, waybill, wipe, type Ports, type Server } from './servers.ts';
import { formatTable, type Figures, type Run } from './table.ts';

const { values } = parseArgs({
  options: {
    letters: { type: 'string', default: '5000' },
    rounds: { type: 'string', default: '3' },
    backlog: { type: 'string', default: '20000' },
    bytes: { type: 'string', default: '4096' },
    only: { type: 'string' },
    folder: { type: 'string', default: join(tmpdir(), 'waybill-bench') },
    json: { type: 'string' },
  },
});
const letters = Number(values.letters);
const rounds = Number(values.rounds);
const backlog = Number(values.backlog);
const bytes = Number(values.bytes);
const limitMs = 300_000;

if (sourceProgram === undefined || sinkProgram === undefined) {
  console.error('bench: needs smtp-source and smtp-sink (Debian: apt-get install postfix)');
  process.exit(100);
}
const canPostfix = postfixProgram !== undefined && process.getuid?.() === 0;
const names = ['waybill', 'postfix'].filter(
  (name) => values.only === undefined || name === values.only,
);
const chosen = names.filter((name) => name !== 'postfix' || canPostfix);
if (!canPostfix && names.includes('postfix')) console.error('bench: without Postfix (needs root)');

const ports: Ports = { listen: await freePort(), sink: await freePort(), dead: await freePort() };
const sink = await startSink(ports.sink);
const figures: Figures = { letters, bytes, rounds, backlog, runs: [] };
const steps = chosen.length * (rounds * 3 + (backlog > 0 ? 2 : 0));
let done = 0;
let starts = 0;

try {
  // In turns, so that a slow phase of the machine hits all of them.
  for (let round = 1; round <= rounds; round += 1) {
    for (const name of chosen) {
      await withServer(name, async (server) => {
        await relay(server, sink, true, 'empty', letters / 5, false);
        await relay(server, sink, true, 'empty', letters, true);
        await relay(server, sink, false, 'empty', letters, true);
        await deliver(server);
      });
    }
  }
  if (backlog > 0) for (const name of chosen) await withServer(name, deepQueue);
} finally {
  sink.stop();
  rmSync(values.folder, { recursive: true, force: true });
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
}
console.log(formatTable(figures));
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(figures, null, 2));

async function withServer(name: string, use: (server: Server) => Promise<void>): Promise<void> {
  // A folder of its own per start, removed at the very end: a file system that has just deleted
  // thousands of files is slow at making new ones.
  starts += 1;
  const folder = join(values.folder, `${name}-${starts}`);
  wipe(folder);
  chmodSync(values.folder, 0o755);
  const server = name === 'waybill' ? waybill(folder, ports) : postfix(folder, ports);
  await server.start();
  try {
    await use(server);
  } finally {
    await server.stop();
    server.group.close();
  }
}

/** Letters to the sink: accepted when smtp-source ends, relayed when the sink has them all. */
async function relay(
  server: Server,
  to: Sink,
  reuse: boolean,
  queue: string,
  count: number,
  keep: boolean,
): Promise<void> {
  const before = server.group.read();
  const base = to.count();
  let peak = 0;
  const sampler = setInterval(() => (peak = Math.max(peak, server.group.read().mebibytes)), 250);
  const arrived = to.reaches(base + count, limitMs);
  const sent = await send({
    port: ports.listen,
    to: 'user@sink.test',
    letters: count,
    sessions: 20,
    bytes,
    reuse,
  });
  const at = await arrived;
  clearInterval(sampler);
  const after = server.group.read();
  if (keep) {
    record({
      ...{ server: server.name, what: reuse ? 'reused' : 'per letter', queue, letters: count },
      acceptedPerSecond: count / ((sent.to - sent.from) / 1000),
      finishedPerSecond: count / ((at - sent.from) / 1000),
      ...costs(before, after, count),
      peakMebibytes: Math.max(peak, after.mebibytes),
    });
  }
  await calm(server);
}

async function deliver(server: Server): Promise<void> {
  const before = server.group.read();
  const base = server.delivered();
  const options = {
    port: ports.listen,
    to: server.mailbox,
    letters,
    sessions: 20,
    bytes,
    reuse: true,
  };
  const sent = await send(options);
  while (server.delivered() < base + letters)
    await new Promise((resolve) => setTimeout(resolve, 50));
  const at = performance.now();
  const after = server.group.read();
  record({
    ...{ server: server.name, what: 'Maildir', queue: 'empty', letters },
    acceptedPerSecond: letters / ((sent.to - sent.from) / 1000),
    finishedPerSecond: letters / ((at - sent.from) / 1000),
    ...costs(before, after, letters),
    peakMebibytes: after.mebibytes,
  });
  await calm(server);
}

/** The same load while so many letters wait for a dead host. */
async function deepQueue(server: Server): Promise<void> {
  await relay(server, sink, true, 'empty', letters / 5, false);
  await send({
    port: ports.listen,
    to: 'user@dead.test',
    letters: backlog,
    sessions: 20,
    bytes,
    reuse: true,
  });
  await calm(server, 60_000);
  await relay(server, sink, true, 'deep', letters, true);
  await relay(server, sink, false, 'deep', letters, true);
}

type Costs = Pick<Run, 'cpuMs' | 'syncs' | 'kibibytes'>;
type Reading = ReturnType<Server['group']['read']>;

function costs(before: Reading, after: Reading, count: number): Costs {
  return {
    cpuMs: ((after.cpu - before.cpu) / count) * 1000,
    syncs: (after.flushes - before.flushes) / count,
    kibibytes: (after.kibibytes - before.kibibytes) / count,
  };
}

function record(run: Run): void {
  figures.runs.push(run);
  done += 1;
  const bar = '#'.repeat(Math.round((done / steps) * 30)).padEnd(30, '.');
  const text = `[${bar}] ${run.server} ${run.what} ${run.queue}`;
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

/** Until the server uses less than a twentieth of a core. */
async function calm(server: Server, longestMs = 20_000): Promise<void> {
  for (const until = Date.now() + longestMs; Date.now() < until;) {
    const { cpu } = server.group.read();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    if (server.group.read().cpu - cpu < 0.05) return;
  }
}
