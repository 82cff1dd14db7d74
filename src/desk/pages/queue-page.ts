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
  list,
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

function slider(seen: QueueSeen): Html {
  const { span, at, now } = seen;
  const last = Math.max(span.last, at === undefined ? now : span.last);
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
    ${range({ first: span.first, last }, at)}
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
      ${steps({ first: span.first, last }, at ?? last)}
    </div>
  </form>`;
}

/** In milliseconds; the script writes the instant into the field, which the address carries. */
function range({ first, last }: Span, at: Instant | undefined): Html {
  const long = Math.max(1, last - first);
  return html`<div class="slide">
    <label for="slider" class="unseen">Instant</label>
    <input
      id="slider"
      type="range"
      min="${first}"
      max="${last}"
      step="${sliderStep(long)}"
      value="${at ?? last}"
      aria-valuetext="${at === undefined ? 'now' : formatInstant(at)}"
    />
    <div class="times" aria-hidden="true">
      <span>${clock(first)}</span><span>${formatSpan(long)}</span><span>now</span>
    </div>
  </div>`;
}

/** From here back and on; what would lead out of the log leads to its end. */
function steps({ first, last }: Span, here: Instant): Html {
  const step = (name: string, byMs: number, key: string): Html => {
    const to = Math.min(last, Math.max(first, here + byMs));
    return html`<a class="button" data-step="${key}" href="${address(to, 0)}">${name}</a>`;
  };
  return html`<span class="steps"
    >${step('− 1 h', -hourMs, 'back-far')}${step('− 1 min', -minuteMs, 'back')}${step('+ 1 min', minuteMs, 'on')}${step('+ 1 h', hourMs, 'on-far')}<a
      class="button"
      data-step="now"
      href="/queue"
      >Now</a
    ></span
  >`;
}

const minuteMs = 60_000;
const hourMs = 3_600_000;

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
  const { letters, recipients, due, held, attempting, owing, aside } = counts;
  const some = [
    ...(due > 0 ? [`${number(due)} due`] : []),
    ...(attempting > 0 ? [`${number(attempting)} being attempted`] : []),
    ...(held > 0 ? [`${number(held)} held`] : []),
    ...(owing > 0 ? [`${number(owing)} owe a bounce`] : []),
    ...(aside > 0 ? [`${number(aside)} set aside`] : []),
  ];
  const place = asked === undefined ? html`Now` : html`At ${instant(at)} UTC`;
  return html`${place}, after event ${number(position)}:
    <b>${number(letters)}</b> ${letters === 1 ? 'letter' : 'letters'},
    <b>${number(recipients)}</b>
    ${recipients === 1 ? 'recipient' : 'recipients'}${some.length === 0 ? '' : ` (${some.join(', ')})`}.`;
}

const table = ({ then: { entries, at }, at: asked, nodeOf }: QueueSeen): Html =>
  list(
    ['Letter', 'To', 'State', 'Due', 'Tries', 'What was said last'],
    entries.map((entry) => row(entry, at, asked === undefined ? nodeOf(entry.message) : undefined)),
  );

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
    <td data-name="State">
      ${stamp(state)}${letter.odd === undefined ? '' : html`<br /><small>set aside: ${shown(letter.odd, 120)}</small>`}
    </td>
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
