/**
 * A letter's waybill as a picture: one line per recipient, time from left to right, a stamp for everything
 * that happened. Distances tell the order, not the time; the words above tell the time. Pure.
 */
import { html } from 'hono/html';
import type { RecordedEvent } from '../../log/ports.ts';
import type { MessageId, RecipientNo } from '../../mail/envelope.ts';
import type { Instant } from '../../platform/clock.ts';
import type { QueueEvent } from '../../queue/events.ts';
import { formatInstant, formatSpan } from '../../trace/words.ts';
import { letterPath, shown, type Html } from './words.ts';

/** One stamp. `rcpts` absent: on the letter as a whole, so on every line. */
export type Stamp = {
  readonly at: Instant;
  readonly kind: StampKind;
  readonly rcpts: readonly RecipientNo[] | undefined;
  readonly told: string;
  readonly children?: readonly MessageId[];
};

export type StampKind =
  | 'accepted'
  | 'queued'
  | 'attempt'
  | 'delivered'
  | 'deferred'
  | 'failed'
  | 'bounce'
  | 'hand'
  | 'done';

/** Of longer stories the first and the last are drawn; the list below the picture has them all. */
const mostStamps = 60;
const mostLines = 12;

function stampsOf(events: readonly RecordedEvent[]): readonly Stamp[] {
  return (events as readonly (RecordedEvent & QueueEvent)[]).flatMap(
    (event) => stampOf(event) ?? [],
  );
}

function stampOf(event: RecordedEvent & QueueEvent): Stamp | undefined {
  const { at } = event;
  const whole = { at, rcpts: undefined };
  switch (event.type) {
    case 'MessageAccepted':
      return { ...whole, kind: 'accepted', told: 'accepted' };
    case 'MessageQueued':
      return { ...whole, kind: 'queued', told: 'queued' };
    case 'AttemptStarted':
      return {
        at,
        rcpts: event.data.rcpts,
        kind: 'attempt',
        told: `attempt ${event.data.attempt}`,
      };
    case 'RecipientDelivered': {
      const { rcpt, reply, children = [] } = event.data;
      return { at, rcpts: [rcpt], kind: 'delivered', told: reply.text, children };
    }
    case 'RecipientDeferred':
      return { at, rcpts: [event.data.rcpt], kind: 'deferred', told: event.data.reply.text };
    case 'RecipientFailed':
      return { at, rcpts: [event.data.rcpt], kind: 'failed', told: event.data.reply.text };
    case 'RecipientCancelled':
      return { at, rcpts: [event.data.rcpt], kind: 'hand', told: `cancelled by ${event.data.by}` };
    case 'RecipientRedirected':
      return { at, rcpts: [event.data.rcpt], kind: 'hand', told: `redirected to ${event.data.to}` };
    case 'RetryRequested':
      return {
        at,
        rcpts: event.data.rcpts,
        kind: 'hand',
        told: `retry asked for by ${event.data.by}`,
      };
    case 'MessageHeld':
      return { ...whole, kind: 'hand', told: `held by ${event.data.by}` };
    case 'MessageReleased':
      return { ...whole, kind: 'hand', told: `released by ${event.data.by}` };
    case 'BounceQueued':
      return { ...whole, kind: 'bounce', told: event.data.kind, children: [event.data.child] };
    case 'BounceDiscarded':
      return { ...whole, kind: 'bounce', told: `no bounce: ${event.data.why}` };
    case 'MessageCleanedUp':
      return { ...whole, kind: 'done', told: 'done' };
    default:
      return undefined;
  }
}

const marks: Readonly<Record<StampKind, string>> = {
  ...{ accepted: '↓', queued: '≡', attempt: '→', delivered: '✓', deferred: '…', failed: '✗' },
  ...{ bounce: '↩', hand: '✎', done: '■' },
};

const names: Readonly<Record<StampKind, string>> = {
  ...{ accepted: 'accepted', queued: 'queued', attempt: 'attempt', delivered: 'delivered' },
  ...{ deferred: 'deferred', failed: 'failed', bounce: 'bounce', hand: 'by hand', done: 'done' },
};

const stepX = 66;
const stepY = 54;
const startX = 34;
const startY = 62;

/** The words of the picture stand in the story below it, so it is hidden from screen readers. */
export function waybillPicture(
  events: readonly RecordedEvent[],
  addresses: readonly string[],
): Html {
  const all = stampsOf(events);
  const stamps = shortened(all);
  const lines = Math.max(1, Math.min(mostLines, addresses.length));
  const wide = startX * 2 + stepX * Math.max(1, stamps.length - 1) + 20;
  const tall = startY + stepY * lines;
  const trunk = stamps.findIndex((stamp) => stamp !== undefined && stamp.rcpts !== undefined);
  return html`<div class="waybill" aria-hidden="true">
    <div class="whom">
      ${addresses.slice(0, lines).map((address) => html`<span title="${shown(address)}">${shown(address, 60)}</span>`)}
    </div>
    <div class="lines" tabindex="-1">
      <svg width="${wide}" height="${tall}" viewBox="0 0 ${wide} ${tall}">
        ${Array.from({ length: lines }, (_, line) => track(line, stamps, trunk, wide))}
        ${stamps.map((stamp, column) => (stamp === undefined ? gap(column, all.length - mostStamps) : drawn(stamp, column, lines, stamps[column - 1]?.at ?? stamps[0]!.at, column)))}
      </svg>
    </div>
    ${addresses.length > lines ? html`<p class="nothing">and ${addresses.length - lines} more recipients</p>` : ''}
  </div>`;
}

/** `undefined` stands for those left out. */
function shortened(stamps: readonly Stamp[]): readonly (Stamp | undefined)[] {
  if (stamps.length <= mostStamps) return stamps;
  const half = mostStamps / 2;
  return [...stamps.slice(0, half), undefined, ...stamps.slice(-half)];
}

const x = (column: number): number => startX + column * stepX;
const y = (line: number): number => startY + line * stepY;

/** A recipient's line leaves the first one where the letter's ways part, and ends with its last stamp. */
function track(
  line: number,
  stamps: readonly (Stamp | undefined)[],
  trunk: number,
  wide: number,
): Html {
  const fork = trunk <= 0 ? Math.max(0, stamps.length - 1) : trunk - 1;
  const last = stamps.findLastIndex(
    (stamp) =>
      stamp !== undefined && (stamp.rcpts === undefined ? line === 0 : stamp.rcpts.includes(line)),
  );
  const ended =
    ['delivered', 'failed'].includes(stamps[last]?.kind ?? '') || stamps[last]?.kind === 'done';
  const branch = line === 0 ? x(0) : x(fork) + 44;
  const end = Math.max(branch, x(Math.max(last, 0)));
  const open = ended
    ? ''
    : html`<path class="track ahead" d="M${end} ${y(line)} H${wide - 6}"></path>`;
  const from =
    line === 0
      ? `M${x(0)} ${y(0)}`
      : `M${x(fork)} ${y(0)} C${x(fork) + 30} ${y(0)} ${x(fork) + 10} ${y(line)} ${x(fork) + 44} ${y(line)}`;
  return html`<path class="track" d="${from} H${end}"></path>${open}`;
}

function drawn(
  { at, kind, rcpts, told, children = [] }: Stamp,
  column: number,
  lines: number,
  before: Instant,
  index: number,
): Html {
  const on = (rcpts ?? [0]).filter((rcpt) => rcpt < lines);
  const time = index === 0 ? formatInstant(at).slice(11, 19) : `+${formatSpan(at - before)}`;
  const words = `${names[kind]} ${formatInstant(at)}: ${shown(told, 200)}`;
  return html`<text class="time" x="${x(column)}" y="16" text-anchor="middle">${time}</text>
    <text class="kind" x="${x(column)}" y="31" text-anchor="middle">${names[kind]}</text>
    ${on.map((line) => {
      const picture = html`<g class="seal seal-${kind}"
        ><title>${words}</title><circle cx="${x(column)}" cy="${y(line)}" r="14"></circle
        ><text x="${x(column)}" y="${y(line) + 5}" text-anchor="middle">${marks[kind]}</text
        >${codeOf(kind, told) === '' ? '' : html`<text class="code" x="${x(column)}" y="${y(line) + 27}" text-anchor="middle">${codeOf(kind, told)}</text>`}</g
      >`;
      return children[0] === undefined
        ? picture
        : html`<a href="${letterPath(children[0])}" tabindex="-1">${picture}</a>`;
    })}`;
}

/** The code that the far side gave, where it gave one. */
const codeOf = (kind: StampKind, told: string): string =>
  kind === 'delivered' || kind === 'deferred' || kind === 'failed'
    ? (/(?:^|\s)([245]\d\d)(?=[\s-]|$)/.exec(told)?.[1] ?? '')
    : '';

const gap = (column: number, left: number): Html =>
  html`<text class="time" x="${x(column)}" y="31" text-anchor="middle">${left} more</text>`;
