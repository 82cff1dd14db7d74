/** The queue as it stands, or stood: a slider over the whole log, and the recipients due first. */
import { html } from 'hono/html';
import type { MessageId } from '../../mail/envelope.ts';
import type { Instant } from '../../platform/clock.ts';
import { formatInstant, formatSpan } from '../../trace/words.ts';
import type { QueueEntry, QueueThen, Span } from '../ports.ts';
import {
  bytes,
  instant,
  letterLink,
  number,
  party,
  shown,
  stamp,
  when,
  type Html,
} from './words.ts';

export type QueueSeen = {
  readonly then: QueueThen;
  readonly span: Span;
  /** What the address asks for; `undefined`: now. */
  readonly at: Instant | undefined;
  readonly now: Instant;
  readonly page: number;
  readonly pageRows: number;
  /** Which node has the letter now. */
  readonly nodeOf: (message: MessageId) => string | undefined;
  readonly trouble?: string;
};

export function queuePage(seen: QueueSeen): Html {
  const { at, then } = seen;
  return html`<h1>Queue</h1>
    ${slider(seen)}
    <section
      id="queue"
      aria-label="What waits"
      ${at === undefined ? html`hx-get="${address(undefined, seen.page)}" hx-trigger="desk:tick" hx-select="#queue" hx-swap="outerMorph" hx-sync="this:drop"` : ''}
    >
      ${seen.trouble === undefined ? '' : html`<p class="trouble" role="alert">${seen.trouble}</p>`}
      <p class="told" id="queue-told" role="status">${told(then, at)}</p>
      ${then.entries.length === 0 ? html`<p class="nothing">Nothing ${at === undefined ? 'waits' : 'waited'}.</p>` : table(seen)}
      ${pages(seen)}
    </section>`;
}

const address = (at: Instant | undefined, page: number): string => {
  const asked = new URLSearchParams();
  if (at !== undefined) asked.set('at', formatInstant(at, 'ms'));
  if (page > 0) asked.set('page', String(page + 1));
  const text = asked.toString();
  return text === '' ? '/queue' : `/queue?${text}`;
};

/** The range is in milliseconds; the script writes the instant into the field, which the address carries. */
function slider({ span, at, now }: QueueSeen): Html {
  const last = Math.max(span.last, at === undefined ? now : span.last);
  const long = Math.max(1, last - span.first);
  const step = (name: string, to: Instant, key: string): Html =>
    html`<a
      class="button"
      data-step="${key}"
      href="${address(Math.min(last, Math.max(span.first, to)), 0)}"
      >${name}</a
    >`;
  const here = at ?? last;
  return html`<form
    id="when"
    class="when"
    action="/queue"
    hx-get="/queue"
    hx-trigger="submit, desk:slide"
    hx-target="#queue"
    hx-select="#queue"
    hx-swap="outerMorph"
    hx-replace-url="true"
    hx-sync="#queue:replace"
  >
    <div class="slide">
      <label for="slider" class="unseen">Instant</label>
      <input
        id="slider"
        type="range"
        min="${span.first}"
        max="${last}"
        step="${sliderStep(long)}"
        value="${here}"
        aria-valuetext="${at === undefined ? 'now' : formatInstant(at)}"
      />
      <div class="times" aria-hidden="true">
        <span>${clock(span.first)}</span><span>${formatSpan(long)}</span><span>now</span>
      </div>
    </div>
    <div class="jump">
      <label for="at">At</label>
      <input
        id="at"
        name="at"
        value="${at === undefined ? '' : formatInstant(at, 'ms')}"
        placeholder="now · -2h · yesterday 06:00 · 2026-11-21T06:00"
        autocomplete="off"
        spellcheck="false"
      />
      <button type="submit">Show</button>
      <span class="steps"
        >${step('− 1 h', here - 3_600_000, 'back-far')}${step('− 1 min', here - 60_000, 'back')}${step('+ 1 min', here + 60_000, 'on')}${step('+ 1 h', here + 3_600_000, 'on-far')}<a
          class="button"
          data-step="now"
          href="/queue"
          >Now</a
        ></span
      >
    </div>
  </form>`;
}

const clock = (at: Instant): string => formatInstant(at).slice(0, 16).replace('T', ' ');

/** A thousand stops over the whole log, on round numbers where that is fine enough. */
function sliderStep(longMs: number): number {
  const wanted = longMs / 1_000;
  return (
    [1, 10, 100, 1_000, 5_000, 15_000, 60_000, 300_000, 900_000].findLast(
      (step) => step <= wanted,
    ) ?? 1
  );
}

function told({ counts, at, position }: QueueThen, asked: Instant | undefined): Html {
  const { letters, recipients, due, held, attempting, owing } = counts;
  const some = [
    ...(due > 0 ? [`${number(due)} due`] : []),
    ...(attempting > 0 ? [`${number(attempting)} being attempted`] : []),
    ...(held > 0 ? [`${number(held)} held`] : []),
    ...(owing > 0 ? [`${number(owing)} owe a bounce`] : []),
  ];
  const place = asked === undefined ? html`Now` : html`At ${instant(at)} UTC`;
  return html`${place}, after event ${number(position)}:
    <b>${number(letters)}</b> ${letters === 1 ? 'letter' : 'letters'},
    <b>${number(recipients)}</b>
    ${recipients === 1 ? 'recipient' : 'recipients'}${some.length === 0 ? '' : ` (${some.join(', ')})`}.`;
}

const table = ({ then: { entries, at }, at: asked, nodeOf }: QueueSeen): Html =>
  html`<table class="list">
    <thead>
      <tr>
        <th scope="col">Letter</th>
        <th scope="col">To</th>
        <th scope="col">State</th>
        <th scope="col">Due</th>
        <th scope="col">Tries</th>
        <th scope="col">What was said last</th>
      </tr>
    </thead>
    <tbody>
      ${entries.map((entry) => row(entry, at, asked === undefined ? nodeOf(entry.message) : undefined))}
    </tbody>
  </table>`;

function row(
  { message, rcpt, status, due, letter }: QueueEntry,
  now: Instant,
  node: string | undefined,
): Html {
  const recipient = letter.recipients[rcpt];
  const state = status === 'waiting' && due <= now ? 'due' : status;
  return html`<tr>
    <td data-name="Letter">
      ${letterLink(message)}
      <small>${formatSpan(now - letter.birth)} old, ${bytes(letter.bytes)}</small><br /><small
        >from
        ${party(letter.returnPath)}${node === undefined ? '' : html`, at ${shown(node, 60)}`}</small
      >
    </td>
    <td data-name="To">${party(recipient?.address ?? '')}</td>
    <td data-name="State">${stamp(state)}</td>
    <td data-name="Due">${status === 'attempting' ? '–' : when(due, now)}</td>
    <td data-name="Tries">${recipient?.tries ?? 0}</td>
    <td data-name="Said" class="said">${shown(recipient?.lastReply?.text ?? '', 240)}</td>
  </tr>`;
}

function pages({ then, at, page, pageRows }: QueueSeen): Html {
  const all = Math.ceil(then.counts.recipients / pageRows);
  if (all <= 1) return html``;
  return html`<nav class="pages" aria-label="Pages">
    ${page > 0 ? html`<a class="button" rel="prev" href="${address(at, page - 1)}">Earlier due</a>` : ''}
    <span>page ${page + 1} of ${all}</span>
    ${page + 1 < all ? html`<a class="button" rel="next" href="${address(at, page + 1)}">Later due</a>` : ''}
  </nav>`;
}
