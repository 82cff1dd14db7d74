/**
 * One letter to very many: transactions, time, CPU and memory of each role. Prints figures; nothing here
 * passes or fails.
 *
 *     node test/bench/many.ts [--recipients 10000] [--hosts 100] [--answer 250|450|550] [--retries 0] [--local]
 *
 * `--answer`: what all hosts say to RCPT. `--local`: to as many users here, each in a lane of their own.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { makeEngine } from '../support/engine.ts';
import { storyOf } from '../support/read-log.ts';
import { openSink, type Sink } from '../support/sink.ts';
import { handInAtOnce, idIn } from '../support/smtp-talk.ts';
import { rolesOf } from './roles.ts';

const { values } = parseArgs({
  options: {
    recipients: { type: 'string', default: '10000' },
    hosts: { type: 'string', default: '100' },
    answer: { type: 'string', default: '250' },
    retries: { type: 'string', default: '0' },
    local: { type: 'boolean', default: false },
  },
});
const count = Number(values.recipients);
const hosts = Number(values.hosts);

const sinks: Sink[] = [];
for (let no = 0; no < hosts; no += 1) {
  sinks.push(await openSink(0, { rcpt: () => `${values.answer} as told` }));
}
const engine = await makeEngine({
  control: { smtproutes: sinks.map(({ port }, no) => `d${no}.test:127.0.0.1:${port}\n`).join('') },
  files: { 'users/assign': '=demo:demo:::mail/demo:::\n+u:demo:::mail/all:::\n.\n' },
});
const address = (no: number) => `u${no}@${values.local ? 'demo.test' : `d${no % hosts}.test`}`;
const verdicts = ['RecipientDelivered', 'RecipientFailed', 'RecipientDeferred'];

/** Polled seldom: reading the log costs as much as writing it. */
async function verdictsReach(id: string, wanted: number): Promise<void> {
  for (;;) {
    const story = await storyOf(engine.dataDir, id);
    if (story.filter(({ type }) => verdicts.includes(type)).length >= wanted) return;
    await sleep(200);
  }
}

const seconds = (from: number) => ((performance.now() - from) / 1000).toFixed(1);

try {
  await engine.start();
  await sleep(1_000);
  const pids = engine.pids().map(({ pid }) => pid);
  const before = new Map(rolesOf(pids).map((use) => [use.role, use]));
  const peaks = new Map<string, number>();
  const sampler = setInterval(() => {
    for (const { role, mebibytes } of rolesOf(pids)) {
      peaks.set(role, Math.max(peaks.get(role) ?? 0, mebibytes));
    }
  }, 200);
  let from = performance.now();
  const to = Array.from({ length: count }, (_, no) => address(no));
  const letter = { from: 'demo@demo.test', to, body: 'Subject: to all\r\n\r\nhello\r\n' };
  const id = idIn(await handInAtOnce(engine.port, letter));
  console.log(`${count} recipients accepted in ${seconds(from)} s`);
  from = performance.now();
  await verdictsReach(id, count);
  console.log(`all tried in ${seconds(from)} s`);
  for (let retry = 1; retry <= Number(values.retries); retry += 1) {
    from = performance.now();
    engine.signal('SIGALRM');
    await verdictsReach(id, count * (retry + 1));
    console.log(`retry ${retry} in ${seconds(from)} s`);
  }
  clearInterval(sampler);
  const sizes = sinks.flatMap(({ transactions }) => transactions.map(({ length }) => length));
  if (sizes.length > 0) {
    const spread = `${Math.min(...sizes)} to ${Math.max(...sizes)} recipients each`;
    console.log(`${sizes.length} transactions, ${spread}`);
  }
  for (const { role, mebibytes, user, system } of rolesOf(pids)) {
    const then = before.get(role);
    const cpu = user + system - (then?.user ?? 0) - (then?.system ?? 0);
    const peak = Math.max(peaks.get(role) ?? 0, mebibytes);
    const memory = `${(then?.mebibytes ?? 0).toFixed(0)} → ${peak.toFixed(0)} MiB`;
    console.log(`${role.padEnd(7)} ${memory.padEnd(16)} ${cpu.toFixed(2)} s of CPU`);
  }
} finally {
  await engine.remove();
  await Promise.all(sinks.map((sink) => sink.shut()));
}
process.exit(0);
