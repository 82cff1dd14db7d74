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
import type { EngineState, NodeSeen, NodesSeen, Preparing } from '../ports.ts';
import { stateOfNode } from './nodes-page.ts';
import { barList, timeChart, type BarRow } from './charts.ts';
import { number, shown, type Html } from './words.ts';

export type Overview = {
  readonly span: SpanName;
  readonly ask: TrafficAsk;
  readonly engine: EngineState;
  readonly preparing: readonly Preparing[];
  readonly now: Instant;
  /** When nodes are judged: the last moment that anything was heard. */
  readonly nodesAt: Instant;
  /** What follows is absent while it is not known, or takes longer than anybody wants to wait. */
  readonly traffic: readonly TrafficStep[] | undefined;
  readonly counts: QueueCounts | undefined;
  readonly waiting: readonly Waiting[] | undefined;
  readonly ages: readonly AgeBand[] | undefined;
  readonly reasons: readonly SaidOften[] | undefined;
  readonly views: ViewsStatus | undefined;
  readonly nodes: NodesSeen | undefined;
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
  const { span, now, waiting, ages, reasons } = seen;
  const asked = [seen.counts, seen.traffic, waiting, ages, reasons, seen.views];
  // The log may be still; what is not known yet is asked for again all the same.
  const isWhole = !asked.includes(undefined);
  return html`<h1 class="unseen">Overview</h1>
    <div
      id="live"
      class="overview"
      hx-get="/?span=${span}"
      hx-trigger="desk:tick${isWhole ? '' : ', every 2s'}"
      hx-select="#live"
      hx-swap="outerMorph"
      hx-sync="this:drop"
    >
      ${numbers(seen)} ${seen.preparing.map(preparingWords)}
      <div class="switch" role="group" aria-label="How far back">
        ${(Object.keys(spans) as SpanName[]).map((name) => html`<a href="/?span=${name}" ${name === span ? html`aria-current="true"` : ''}>${name}</a>`)}
      </div>
      ${trafficChart(seen)}
      <div class="columns">
        ${bars('Waiting, by destination', 'Nothing waits.', waiting, (row) => laneRow(row, now))}
        ${bars('Waiting, by age', 'Nothing waits.', ages?.filter(hasAny), ageRow)}
        ${bars('What deferrals said', 'Nobody put us off.', reasons, reasonRow)} ${workers(seen)}
      </div>
    </div>`;
}

const bars = <Row>(
  title: string,
  none: string,
  rows: readonly Row[] | undefined,
  toRow: (row: Row) => BarRow,
): Html => barList(title, rows?.map(toRow) ?? [], rows === undefined ? 'Not known yet.' : none);

const hasAny = ({ recipients }: AgeBand): boolean => recipients > 0;

function preparingWords({ what, position, head }: Preparing): Html {
  const percent = Math.floor((100 * position) / Math.max(1, head));
  return what === 'views'
    ? html`<p class="preparing" role="status">
        The views are being computed (${percent} %): until then charts and search may lack
        something.
      </p>`
    : html`<p class="preparing" role="status">
        The past is being prepared (${percent} %): what waits is shown when that is done.
      </p>`;
}

function numbers({ counts, traffic, engine: { running, trouble } }: Overview): Html {
  const sum = (key: 'accepted' | 'delivered' | 'failed') =>
    traffic?.reduce((total, step) => total + step[key], 0);
  const state = running === false ? 'stopped' : trouble === undefined ? 'running' : 'in trouble';
  const figure = (value: string, words: string, tone = '', href?: string): Html =>
    html`<div class="number ${tone}">
      <dt>${words}</dt>
      <dd>${href === undefined ? value : html`<a href="${href}">${value}</a>`}</dd>
    </div>`;
  const some = (n: number | undefined, words: string, tone = '', href?: string): Html =>
    figure(n === undefined ? '–' : number(n), words, (n ?? 0) > 0 ? tone : '', href);
  const waits = counts?.recipients === 1 ? 'recipient waits' : 'recipients wait';
  return html`<dl class="numbers">
      ${some(counts?.recipients, waits, 'slow', '/queue')}
      ${some(counts?.attempting, 'being attempted', 'busy')} ${some(counts?.held, 'held', 'held')}
      ${some(sum('accepted'), 'accepted')} ${some(sum('delivered'), 'delivered', 'good')}
      ${some(sum('failed'), 'failed', 'bad')}
      ${figure(state, 'engine', state === 'running' ? 'good' : 'bad')}
    </dl>
    ${trouble === undefined ? '' : html`<p class="trouble" role="alert">${shown(trouble)}</p>`}`;
}

function trafficChart({ span, ask, traffic }: Overview): Html {
  const { stepMs, steps, words } = spans[span];
  if (traffic === undefined) {
    const titles = [`Verdicts, ${words}`, `Letters accepted, ${words}`];
    return html`<div class="columns wide">
      ${titles.map((title) => bars(title, '', undefined, reasonRow))}
    </div>`;
  }
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

function workers({ engine: { roles }, views, nodes, now, nodesAt }: Overview): Html {
  const line = (name: string | Html, state: string, tone: string): Html =>
    html`<li><span>${name}</span><b class="${tone}">${shown(state)}</b></li>`;
  const others =
    nodes?.nodes.filter(({ status }) => status !== 'alone' && status !== 'taken') ?? [];
  return html`<section class="chart">
    <h2>At work</h2>
    <ul class="work">
      ${roles.map(({ name, state }) => line(shown(name), state, state === 'up' ? 'good' : state === 'down' ? 'bad' : ''))}
      ${others.map((node) => nodeLine(node))} ${views === undefined ? '' : viewsLines(views)}
    </ul>
  </section>`;

  function nodeLine(node: NodeSeen): Html {
    const { words, tone } = stateOfNode(node, nodesAt);
    return line(html`<a href="/nodes">node ${shown(node.node, 60)}</a>`, words, tone);
  }

  function viewsLines({ lacksFrom, head, letters, rebuilding }: ViewsStatus): Html[] {
    const late = lacksFrom === undefined ? 0 : Math.max(0, now - lacksFrom);
    return [
      line(
        'views',
        late < 1_000 ? 'up to date' : `${formatSpan(late)} behind`,
        late < 1_000 ? 'good' : 'slow',
      ),
      ...(rebuilding === undefined
        ? []
        : [
            line(
              'views being rebuilt',
              `${Math.floor((100 * rebuilding) / Math.max(1, head))} %`,
              'slow',
            ),
          ]),
      line('letters known', number(letters), ''),
    ];
  }
}
