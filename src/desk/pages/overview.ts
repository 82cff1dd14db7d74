/** The overview: what came and went, what waits and for what, whether everybody is at work. */
import { html } from 'hono/html';
import type { Instant } from '../../platform/clock.ts';
import type { QueueCounts } from '../../trace/queue-rows.ts';
import { formatSpan } from '../../trace/words.ts';
import type {
  AgeBand,
  SaidOften,
  TrafficAsk,
  TrafficStep,
  ViewsStatus,
  Waiting,
} from '../../views/ports.ts';
import type { EngineState } from '../ports.ts';
import { barList, timeChart, type BarRow } from './charts.ts';
import { number, shown, type Html } from './words.ts';

export type Overview = {
  readonly span: SpanName;
  readonly ask: TrafficAsk;
  readonly traffic: readonly TrafficStep[];
  readonly counts: QueueCounts;
  readonly waiting: readonly Waiting[];
  readonly ages: readonly AgeBand[];
  readonly reasons: readonly SaidOften[];
  readonly engine: EngineState;
  readonly views: ViewsStatus;
  readonly now: Instant;
};

/** Lower ends of the bands of age: just in, then retries ever further apart, up to what a queue lifetime leaves. */
export const ageBands = [0, 300_000, 3_600_000, 6 * 3_600_000, 86_400_000, 3 * 86_400_000] as const;

/** How far back, and in what steps. */
export const spans = {
  hour: { words: 'last hour, per minute', stepMs: 60_000, steps: 60 },
  day: { words: 'last day, per half hour', stepMs: 1_800_000, steps: 48 },
  week: { words: 'last week, per three hours', stepMs: 3 * 3_600_000, steps: 56 },
} as const;

export type SpanName = keyof typeof spans;

export function overview(seen: Overview): Html {
  const { span, counts, engine, now } = seen;
  return html`<h1 class="unseen">Overview</h1>
    <div
      id="live"
      class="overview"
      hx-get="/?span=${span}"
      hx-trigger="desk:tick"
      hx-select="#live"
      hx-swap="outerMorph"
      hx-sync="this:drop"
    >
      ${numbers(counts, seen.traffic, engine)}
      <div class="switch" role="group" aria-label="How far back">
        ${(Object.keys(spans) as SpanName[]).map((name) => html`<a href="/?span=${name}" ${name === span ? html`aria-current="true"` : ''}>${name}</a>`)}
      </div>
      ${trafficChart(seen)}
      <div class="columns">
        ${barList(
          'Waiting, by destination',
          seen.waiting.map((row) => laneRow(row, now)),
          'Nothing waits.',
        )}
        ${barList('Waiting, by age', seen.ages.filter(({ recipients }) => recipients > 0).map(ageRow), 'Nothing waits.')}
        ${barList('What deferrals said', seen.reasons.map(reasonRow), 'Nobody put us off.')}
        ${workers(engine, seen.views)}
      </div>
    </div>`;
}

function numbers(
  counts: QueueCounts,
  traffic: readonly TrafficStep[],
  { running, trouble }: EngineState,
): Html {
  const sum = (key: 'accepted' | 'delivered' | 'failed') =>
    traffic.reduce((total, step) => total + step[key], 0);
  const state = running === false ? 'stopped' : trouble === undefined ? 'running' : 'in trouble';
  const figure = (value: string, words: string, tone = '', href?: string): Html =>
    html`<div class="number ${tone}">
      <dt>${words}</dt>
      <dd>${href === undefined ? value : html`<a href="${href}">${value}</a>`}</dd>
    </div>`;
  return html`<dl class="numbers">
      ${figure(number(counts.recipients), counts.recipients === 1 ? 'recipient waits' : 'recipients wait', counts.recipients > 0 ? 'slow' : '', '/queue')}
      ${figure(number(counts.attempting), 'being attempted', counts.attempting > 0 ? 'busy' : '')}
      ${figure(number(counts.held), 'held', counts.held > 0 ? 'held' : '')}
      ${figure(number(sum('accepted')), 'accepted')}
      ${figure(number(sum('delivered')), 'delivered', 'good')}
      ${figure(number(sum('failed')), 'failed', sum('failed') > 0 ? 'bad' : '')}
      ${figure(state, 'engine', state === 'running' ? 'good' : 'bad')}
    </dl>
    ${trouble === undefined ? '' : html`<p class="trouble" role="alert">${shown(trouble)}</p>`}`;
}

function trafficChart({ span, ask, traffic }: Overview): Html {
  const { stepMs, steps, words } = spans[span];
  const byStep = new Map(traffic.map((step) => [step.at, step]));
  const values = (key: 'accepted' | 'delivered' | 'deferred' | 'failed') =>
    Array.from({ length: steps }, (_, step) => byStep.get(ask.from + step * stepMs)?.[key] ?? 0);
  return html`<div class="columns wide">
    ${timeChart({
      ...{ title: `Verdicts, ${words}`, from: ask.from, stepMs },
      series: [
        { name: 'delivered', tone: 'good', values: values('delivered') },
        { name: 'deferred', tone: 'slow', values: values('deferred') },
        { name: 'failed', tone: 'bad', values: values('failed') },
      ],
    })}${timeChart({
      ...{ title: `Letters accepted, ${words}`, from: ask.from, stepMs },
      series: [{ name: 'accepted', tone: 'busy', values: values('accepted') }],
    })}
  </div>`;
}

const laneRow = ({ host, recipients, oldest }: Waiting, now: Instant): BarRow => ({
  ...{
    name: host,
    value: recipients,
    tone: 'slow',
    hint: `the oldest is ${formatSpan(now - oldest)} old`,
  },
  ...(host === 'local' ? {} : { href: `/search?status=waiting&host=${encodeURIComponent(host)}` }),
});

const ageRow = ({ fromMs, recipients }: AgeBand): BarRow => ({
  name: fromMs === 0 ? 'just in' : `${formatSpan(fromMs)} and more`,
  value: recipients,
  tone: 'slow',
});

const reasonRow = ({ reply, count }: SaidOften): BarRow => ({
  ...{ name: reply, value: count, tone: 'slow' },
  href: `/search?reply=${encodeURIComponent(shown(reply, 60).replace(/…$/, ''))}`,
});

function workers(
  { roles }: EngineState,
  { position, head, letters, rebuilding }: ViewsStatus,
): Html {
  const line = (name: string, state: string, tone: string): Html =>
    html`<li><span>${shown(name)}</span><b class="${tone}">${shown(state)}</b></li>`;
  const late = head - position;
  return html`<section class="chart">
    <h2>At work</h2>
    <ul class="work">
      ${roles.map(({ name, state }) => line(name, state, state === 'up' ? 'good' : state === 'down' ? 'bad' : ''))}
      ${line('views', late <= 0 ? 'up to date' : `${number(late)} positions behind`, late <= 0 ? 'good' : 'slow')}
      ${rebuilding === undefined ? '' : line('views being rebuilt', `${Math.floor((100 * rebuilding) / Math.max(1, head))} %`, 'slow')}
      ${line('letters known', number(letters), '')}
    </ul>
  </section>`;
}
