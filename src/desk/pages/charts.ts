/**
 * Charts as SVG, drawn here: they need no script, follow light and dark, and are read out as a table. Sizes
 * are those of the picture's own grid; the page scales it.
 */
import { html } from 'hono/html';
import type { Instant } from '../../platform/clock.ts';
import { formatInstant } from '../../trace/words.ts';
import { number, shown, type Html } from './words.ts';

export type Series = {
  readonly name: string;
  readonly tone: string;
  readonly values: readonly number[];
};

export type TimeChart = {
  readonly title: string;
  readonly from: Instant;
  readonly stepMs: number;
  readonly series: readonly Series[];
};

const width = 720;
const height = 150;

/** Bars over time, the series of a step stacked. */
export function timeChart({ title, from, stepMs, series }: TimeChart): Html {
  const steps = series[0]?.values.length ?? 0;
  const sums = Array.from({ length: steps }, (_, step) =>
    series.reduce((total, { values }) => total + (values[step] ?? 0), 0),
  );
  const most = niceCeiling(Math.max(1, ...sums));
  const bars = sums.map((total, step) =>
    total === 0 ? '' : column(series, step, { from, stepMs, steps, most }),
  );
  const marks = [0, 1, 2, 3, 4].map((mark) => from + Math.round((steps * mark) / 4) * stepMs);
  return html`<figure class="chart">
    <figcaption>
      <h2>${title}</h2>
      ${legend(series)}
    </figcaption>
    <div class="plot">
      <span class="most" aria-hidden="true">${compact(most)}</span>
      <svg
        viewBox="0 0 ${width} ${height}"
        preserveAspectRatio="none"
        role="img"
        aria-label="${title}: ${totals(series)}"
      >
        ${[0, height / 2, height].map((y) => html`<line class="grid" x2="${width}" y1="${y}" y2="${y}"></line>`)}
        ${bars}
      </svg>
      <div class="times" aria-hidden="true">
        ${marks.map((at) => html`<span>${timeWords(at, steps * stepMs)}</span>`)}
      </div>
    </div>
  </figure>`;
}

type Scale = {
  readonly from: Instant;
  readonly stepMs: number;
  readonly steps: number;
  readonly most: number;
};

function column(
  series: readonly Series[],
  step: number,
  { from, stepMs, steps, most }: Scale,
): Html {
  const wide = width / steps;
  const told = series.map(({ name, values }) => `${name} ${number(values[step] ?? 0)}`).join(', ');
  let y = height;
  const parts = series.map(({ tone, values }) => {
    const tall = ((values[step] ?? 0) * height) / most;
    y -= tall;
    return tall === 0
      ? ''
      : html`<rect
          class="fill-${tone}"
          x="${round(step * wide)}"
          y="${round(y)}"
          width="${round(wide - Math.min(1, wide / 4))}"
          height="${round(tall)}"
        ></rect>`;
  });
  return html`<g
    ><title>${timeWords(from + step * stepMs)} UTC: ${told}</title
    ><rect class="touch" x="${round(step * wide)}" width="${round(wide)}" height="${height}"></rect
    >${parts}</g
  >`;
}

const legend = (series: readonly Series[]): Html =>
  html`<ul class="legend">
    ${series.map(({ name, tone, values }) => html`<li><span class="dot ${tone}" aria-hidden="true"></span>${name} <b>${number(sum(values))}</b></li>`)}
  </ul>`;

const totals = (series: readonly Series[]): string =>
  series.map(({ name, values }) => `${number(sum(values))} ${name}`).join(', ');

export type BarRow = {
  readonly name: string;
  readonly value: number;
  readonly href?: string;
  readonly tone?: string;
  readonly hint?: string;
};

/** A list of bars, the value beside each: a table to whoever cannot see the bars. */
export function barList(title: string, rows: readonly BarRow[], nothing: string): Html {
  const most = Math.max(1, ...rows.map(({ value }) => value));
  return html`<section class="chart bars">
    <h2>${title}</h2>
    ${
      rows.length === 0
        ? html`<p class="nothing">${nothing}</p>`
        : html`<ul>
            ${rows.map((row) => bar(row, most))}
          </ul>`
    }
  </section>`;
}

function bar({ name, value, href, tone = 'ink', hint }: BarRow, most: number): Html {
  const label = shown(name, 160);
  const share = round((100 * value) / most);
  return html`<li>
    <span class="name" title="${hint ?? label}"
      >${href === undefined ? label : html`<a href="${href}">${label}</a>`}</span
    >
    <b>${number(value)}</b>
    <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
      <rect class="rail" width="100" height="4"></rect>
      <rect class="fill-${tone}" width="${share}" height="4"></rect>
    </svg>
  </li>`;
}

const sum = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0);
const round = (n: number): number => Math.round(n * 100) / 100;

/** 1, 2, 4, 5 or 10 times a power of ten, so that half of it is told in few digits. */
function niceCeiling(n: number): number {
  const power = 10 ** Math.floor(Math.log10(n));
  return ([1, 2, 4, 5, 10].find((factor) => factor * power >= n) ?? 10) * power;
}

const compact = (n: number): string =>
  n >= 1_000_000 ? `${n / 1_000_000}M` : n >= 10_000 ? `${n / 1_000}k` : String(n);

function timeWords(at: Instant, spanMs = 0): string {
  const text = formatInstant(at);
  return spanMs > 2 * 86_400_000 ? text.slice(5, 10) : text.slice(11, 16);
}
