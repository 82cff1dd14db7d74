/** Small pieces of pages. Everything that goes into `html` is escaped there; what a stranger wrote also loses what turns text around. */
import { html } from 'hono/html';
import type { Instant } from '../../platform/clock.ts';
import { formatInstant, formatSpan } from '../../trace/words.ts';

export type Html = ReturnType<typeof html>;

/** A stranger's text as one line: no control characters, nothing that changes the direction of what follows. */
export function shown(text: string, maxLength = 300): string {
  const line = text
    .slice(0, 4 * maxLength)
    .replace(/\s+/gu, ' ')
    .trim()
    .replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, '\ufffd')
    .toWellFormed();
  return line.length <= maxLength ? line : `${line.slice(0, maxLength - 1)}…`;
}

/** `joe@b.test`, or what an empty return path is called. */
export const party = (address: string): Html =>
  address === ''
    ? html`<span class="nobody" title="empty return path">&lt;&gt;</span>`
    : html`<bdi class="address">${shown(address)}</bdi>`;

export const letterPath = (message: string): string => `/letters/${encodeURIComponent(message)}`;

/** The end of an id tells letters apart; the whole one stands in the title. */
export const letterLink = (message: string): Html =>
  html`<a class="id" href="${letterPath(message)}" title="${message}">…${message.slice(-12)}</a>`;

/** Date and time of day in UTC, the whole instant in `datetime`. */
export const instant = (at: Instant): Html =>
  html`<time datetime="${formatInstant(at, 'ms')}">${clockWords(at)}</time>`;

const clockWords = (at: Instant): string => formatInstant(at).replace('T', ' ').replace('Z', '');

/** `4 s ago`, `in 3 min`. */
export function when(at: Instant, now: Instant): Html {
  const words =
    Math.abs(at - now) < 1_000
      ? 'now'
      : at > now
        ? `in ${formatSpan(at - now)}`
        : `${formatSpan(now - at)} ago`;
  return html`<time datetime="${formatInstant(at, 'ms')}" title="${clockWords(at)} UTC"
    >${words}</time
  >`;
}

export const number = (n: number): string => n.toLocaleString('en');

export function bytes(n: number): string {
  if (n < 1_000) return `${n} B`;
  const units = ['kB', 'MB', 'GB'];
  const power = Math.min(units.length, Math.floor(Math.log10(n) / 3));
  return `${(n / 1_000 ** power).toFixed(1)} ${units[power - 1]}`;
}

/** A status as a stamp: a word in its colour. */
export const stamp = (status: string): Html =>
  html`<span class="stamp ${toneOf(status)}">${status}</span>`;

const tones: Readonly<Record<string, string>> = {
  ...{ delivered: 'good', failed: 'bad', bounced: 'bad', waiting: 'slow', deferred: 'slow' },
  ...{ held: 'held', attempting: 'busy', cancelled: 'quiet', done: 'quiet', due: 'busy' },
};

export const toneOf = (status: string): string => tones[status] ?? 'quiet';

/** A table of rows that name their cells (`data-name`): where the screen is narrow the names stand for the heading. */
export const list = (columns: readonly string[], rows: readonly Html[]): Html =>
  html`<table class="list">
    <thead>
      <tr>
        ${columns.map((name) => html`<th scope="col">${name}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
