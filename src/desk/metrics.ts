/**
 * Numbers for Prometheus, computed when they are asked for. Names no person: destinations and addresses stay
 * out of them. Counters come from the views and survive restarts; a rebuild of the views sets them back.
 */
import { Counter, Gauge, Registry } from 'prom-client';
import type { Instant } from '../platform/clock.ts';
import type { QueueCounts } from '../trace/queue-rows.ts';
import { unlessNotYet } from './not-yet.ts';
import type { DeskParts } from './ports.ts';
import { ageBands } from './pages/overview.ts';

export type Metrics = { text(): Promise<string>; readonly contentType: string };

/** Counted from here on: `traffic` is asked for the whole time since, in steps of a day. */
const dayMs = 86_400_000;

export function openMetrics(parts: DeskParts, streams: () => number): Metrics {
  const { settings, queue, views, clock } = parts;
  const register = new Registry();
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge<L>({
      name: `waybill_${name}`,
      help,
      labelNames: [...labelNames],
      registers: [register],
    });
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({
      name: `waybill_${name}`,
      help,
      labelNames: [...labelNames],
      registers: [register],
    });

  const info = gauge('info', 'The release, and the name of this node', ['version', 'node']);
  info.set({ version: settings.version, node: settings.node }, 1);
  const up = gauge('engine_up', 'Whether the queue answers');
  const recipients = gauge('queue_recipients', 'Recipients without a terminal event', ['state']);
  const letters = gauge('queue_letters', 'Letters with such recipients');
  const owing = gauge('queue_bounces_owed', 'Letters whose bounce is not made yet');
  const ages = gauge(
    'queue_age_recipients',
    'Recipients whose letter is at least so old, and younger than the next',
    ['seconds'],
  );
  const position = gauge('log_position', 'Position of the last event of the log');
  const viewed = gauge('views_position', 'Position up to which the views know the log');
  const known = gauge('views_letters', 'Letters that the views know');
  const open = gauge('desk_streams', 'Live streams that are open');
  const accepted = counter('letters_accepted_total', 'Letters accepted');
  const bytes = counter('accepted_bytes_total', 'Bytes of letters accepted');
  const verdicts = counter('attempts_total', 'Attempts on recipients, by what they came to', [
    'verdict',
  ]);
  const memory = gauge('desk_resident_memory_bytes', 'Memory of the process that serves this page');
  const processor = counter('desk_cpu_seconds_total', 'Processor time of that process');

  const tellQueue = (counts: QueueCounts | undefined): void => {
    recipients.reset();
    setOrRemove(letters, counts?.letters);
    setOrRemove(owing, counts?.owing);
    if (counts === undefined) return;
    const rest = counts.recipients - counts.attempting - counts.held - counts.due;
    recipients.set({ state: 'attempting' }, counts.attempting);
    recipients.set({ state: 'held' }, counts.held);
    recipients.set({ state: 'due' }, counts.due);
    recipients.set({ state: 'waiting' }, Math.max(0, rest));
  };
  const collect = async (): Promise<void> => {
    const now = clock.now();
    const [then, engine, status, bands, totals] = await Promise.all([
      unlessNotYet(queue.queueAt({ limit: 0 })),
      parts.engine(),
      unlessNotYet(views.status()),
      unlessNotYet(views.ages(now, ageBands)),
      unlessNotYet(totalsOf(parts, now)),
    ]);
    up.set(engine.running === true ? 1 : 0);
    tellQueue(then?.counts);
    ages.reset();
    for (const { fromMs, recipients: many } of bands ?? [])
      ages.set({ seconds: String(fromMs / 1000) }, many);
    setOrRemove(position, status?.head);
    setOrRemove(viewed, status?.position);
    setOrRemove(known, status?.letters);
    open.set(streams());
    for (const each of [accepted, bytes]) each.remove();
    for (const each of [verdicts, processor]) each.reset();
    const { user, system } = process.cpuUsage();
    processor.inc((user + system) / 1e6);
    memory.set(process.memoryUsage.rss());
    if (totals === undefined) return;
    accepted.inc(totals.accepted);
    bytes.inc(totals.bytes);
    for (const verdict of ['delivered', 'deferred', 'failed'] as const) {
      verdicts.inc({ verdict }, totals[verdict]);
    }
  };
  return {
    contentType: register.contentType,
    text: async () => {
      await collect();
      return register.metrics();
    },
  };
}

/** What is not known yet is no number, least of all zero. */
function setOrRemove(gauge: Gauge, value: number | undefined): void {
  if (value === undefined) gauge.remove();
  else gauge.set(value);
}

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
