/**
 * Numbers for Prometheus, computed when they are asked for. Names no person: destinations and addresses stay
 * out of them. Counters come from the views and survive restarts; a rebuild of the views sets them back.
 */
import { Counter, Gauge, Registry } from 'prom-client';
import type { Instant } from '../platform/clock.ts';
import type { QueueCounts } from '../trace/queue-rows.ts';
import type { AgeBand } from '../views/ports.ts';
import { unlessNotYet } from './not-yet.ts';
import type { DeskParts } from './ports.ts';
import { ageBands } from './pages/overview.ts';

export type Metrics = { text(): Promise<string>; readonly contentType: string };

/** Counted from here on: `traffic` is asked for the whole time since, in steps of a day. */
const dayMs = 86_400_000;

export function openMetrics(parts: DeskParts, streams: () => number): Metrics {
  const register = new Registry();
  const numbers = numbersIn(register);
  const { version, node } = parts.settings;
  numbers.info.set({ version, node }, 1);
  return {
    contentType: register.contentType,
    text: async () => {
      await collect(numbers, parts);
      numbers.streams.set(streams());
      return register.metrics();
    },
  };
}

type Numbers = ReturnType<typeof numbersIn>;

/** The whole vocabulary. Names and labels are what dashboards and alarms are written against: they stay. */
function numbersIn(register: Registry) {
  const of = <L extends string>(name: string, help: string, labels: readonly L[]) => ({
    ...{ name: `waybill_${name}`, help, labelNames: [...labels], registers: [register] },
  });
  const gauge = <L extends string>(name: string, help: string, labels: readonly L[] = []) =>
    new Gauge<L>(of(name, help, labels));
  const counter = <L extends string>(name: string, help: string, labels: readonly L[] = []) =>
    new Counter<L>(of(name, help, labels));
  return {
    info: gauge('info', 'The release, and the name of this node', ['version', 'node']),
    up: gauge('engine_up', 'Whether the queue answers'),
    recipients: gauge('queue_recipients', 'Recipients without a terminal event', ['state']),
    letters: gauge('queue_letters', 'Letters with such recipients'),
    owing: gauge('queue_bounces_owed', 'Letters whose bounce is not made yet'),
    ages: gauge('queue_age_recipients', ageHelp, ['seconds']),
    position: gauge('log_position', 'Position of the last event of the log'),
    viewed: gauge('views_position', 'Position up to which the views know the log'),
    known: gauge('views_letters', 'Letters that the views know'),
    streams: gauge('desk_streams', 'Live streams that are open'),
    accepted: counter('letters_accepted_total', 'Letters accepted'),
    bytes: counter('accepted_bytes_total', 'Bytes of letters accepted'),
    verdicts: counter('attempts_total', verdictHelp, ['verdict']),
    memory: gauge('desk_resident_memory_bytes', 'Memory of the process that serves this page'),
    processor: counter('desk_cpu_seconds_total', 'Processor time of that process'),
  };
}

const ageHelp = 'Recipients whose letter is at least so old, and younger than the next';
const verdictHelp = 'Attempts on recipients, by what they came to';

async function collect(numbers: Numbers, parts: DeskParts): Promise<void> {
  const { queue, views, clock } = parts;
  const now = clock.now();
  const [then, engine, status, bands, totals] = await Promise.all([
    unlessNotYet(queue.queueAt({ limit: 0 })),
    parts.engine(),
    unlessNotYet(views.status()),
    unlessNotYet(views.ages(now, ageBands)),
    unlessNotYet(totalsOf(parts, now)),
  ]);
  numbers.up.set(engine.running === true ? 1 : 0);
  tellQueue(numbers, then?.counts);
  tellAges(numbers, bands ?? []);
  setOrRemove(numbers.position, status?.head);
  setOrRemove(numbers.viewed, status?.position);
  setOrRemove(numbers.known, status?.letters);
  tellTotals(numbers, totals);
  tellProcess(numbers);
}

function tellQueue({ recipients, letters, owing }: Numbers, counts: QueueCounts | undefined): void {
  recipients.reset();
  setOrRemove(letters, counts?.letters);
  setOrRemove(owing, counts?.owing);
  if (counts === undefined) return;
  const rest = counts.recipients - counts.attempting - counts.held - counts.due;
  recipients.set({ state: 'attempting' }, counts.attempting);
  recipients.set({ state: 'held' }, counts.held);
  recipients.set({ state: 'due' }, counts.due);
  recipients.set({ state: 'waiting' }, Math.max(0, rest));
}

function tellAges({ ages }: Numbers, bands: readonly AgeBand[]): void {
  ages.reset();
  for (const { fromMs, recipients } of bands) {
    ages.set({ seconds: String(fromMs / 1000) }, recipients);
  }
}

/** Computed anew each time: a counter is set by taking it back to nothing and adding everything. */
function tellTotals({ accepted, bytes, verdicts }: Numbers, totals: Totals | undefined): void {
  for (const each of [accepted, bytes]) each.remove();
  verdicts.reset();
  if (totals === undefined) return;
  accepted.inc(totals.accepted);
  bytes.inc(totals.bytes);
  for (const verdict of ['delivered', 'deferred', 'failed'] as const) {
    verdicts.inc({ verdict }, totals[verdict]);
  }
}

function tellProcess({ memory, processor }: Numbers): void {
  const { user, system } = process.cpuUsage();
  processor.reset();
  processor.inc((user + system) / 1e6);
  memory.set(process.memoryUsage.rss());
}

/** What is not known yet is no number, least of all zero. */
function setOrRemove(gauge: Gauge, value: number | undefined): void {
  if (value === undefined) gauge.remove();
  else gauge.set(value);
}

type Totals = Awaited<ReturnType<typeof totalsOf>>;

/** Since the first day. */
async function totalsOf({ queue, views }: DeskParts, now: Instant) {
  const sums = { accepted: 0, bytes: 0, delivered: 0, deferred: 0, failed: 0 };
  const span = await queue.span();
  if (span === undefined) return sums;
  // A clock that was set back leaves events before the first one.
  const from = Math.floor(span.first / dayMs - 1) * dayMs;
  const until = Math.ceil(Math.max(now, span.last) / dayMs + 1) * dayMs;
  for (const step of await views.traffic({ from, until, stepMs: dayMs })) {
    for (const key of Object.keys(sums) as (keyof typeof sums)[]) sums[key] += step[key];
  }
  return sums;
}
