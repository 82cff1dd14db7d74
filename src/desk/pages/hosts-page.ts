/** The hosts that letters went to: how they answered, since when. */
import { html } from 'hono/html';
import type { Instant } from '../../platform/clock.ts';
import { formatSpan } from '../../trace/words.ts';
import type { HostHealth } from '../../views/ports.ts';
import { list, number, shown, when, type Html } from './words.ts';

export const hostSpans = { hour: 3_600_000, day: 86_400_000, week: 7 * 86_400_000 } as const;

export type HostsSeen = {
  readonly span: keyof typeof hostSpans;
  readonly hosts: readonly HostHealth[];
  readonly now: Instant;
};

export const hostsPage = ({ span, hosts, now }: HostsSeen): Html =>
  html`<h1>Hosts</h1>
    <div
      id="live"
      hx-get="/hosts?span=${span}"
      hx-trigger="desk:tick"
      hx-select="#live"
      hx-swap="outerMorph"
      hx-sync="this:drop"
    >
      <div class="switch" role="group" aria-label="How far back">
        ${(Object.keys(hostSpans) as (keyof typeof hostSpans)[]).map((name) => html`<a href="/hosts?span=${name}" ${name === span ? html`aria-current="true"` : ''}>${name}</a>`)}
      </div>
      ${hosts.length === 0 ? html`<p class="nothing">Nothing was attempted in that time.</p>` : table(hosts, now)}
    </div>`;

const table = (hosts: readonly HostHealth[], now: Instant): Html =>
  list(
    ['Host', 'Health', 'Delivered', 'Deferred', 'Failed', 'Time', 'Last', 'Last trouble'],
    hosts.map((host) => row(host, now)),
  );

function row(
  { host, delivered, deferred, failed, meanMs, lastAt, lastTrouble }: HostHealth,
  now: Instant,
): Html {
  const all = Math.max(1, delivered + deferred + failed);
  const wide = (n: number): number => Math.round((1_000 * n) / all) / 10;
  return html`<tr>
    <td data-name="Host">
      <a href="/search?host=${encodeURIComponent(host)}">${shown(host, 100)}</a>
    </td>
    <td data-name="Health">
      <svg
        class="health"
        viewBox="0 0 100 6"
        preserveAspectRatio="none"
        role="img"
        aria-label="${Math.round(wide(delivered))} % delivered"
      >
        <rect class="fill-good" width="${wide(delivered)}" height="6"></rect>
        <rect class="fill-slow" x="${wide(delivered)}" width="${wide(deferred)}" height="6"></rect>
        <rect
          class="fill-bad"
          x="${wide(delivered + deferred)}"
          width="${wide(failed)}"
          height="6"
        ></rect>
      </svg>
    </td>
    <td data-name="Delivered">${number(delivered)}</td>
    <td data-name="Deferred">${number(deferred)}</td>
    <td data-name="Failed">${number(failed)}</td>
    <td data-name="Time">${meanMs === undefined ? '–' : formatSpan(meanMs)}</td>
    <td data-name="Last">${lastAt === undefined ? '–' : when(lastAt, now)}</td>
    <td data-name="Last trouble" class="said">${shown(lastTrouble ?? '', 200)}</td>
  </tr>`;
}
