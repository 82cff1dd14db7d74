/** One letter: its waybill as a picture, its story in words, why each recipient is where it is, and an operator's hand. */
import { html } from 'hono/html';
import type { RecordedEvent } from '../../log/ports.ts';
import type { MessageId } from '../../mail/envelope.ts';
import type { Incarnation } from '../../nodes/events.ts';
import type { Instant } from '../../platform/clock.ts';
import type { QueueEvent } from '../../queue/events.ts';
import type { Member } from '../../trace/family.ts';
import { formatReason } from '../../trace/reason-words.ts';
import { foldLetter, type Reason } from '../../trace/reason.ts';
import { storyTeller } from '../../trace/story.ts';
import { formatInstant, formatSpan } from '../../trace/words.ts';
import type { Identity } from '../guard/gate.ts';
import { actions } from './actions.ts';
import { waybillPicture } from './waybill-picture.ts';
import { bytes, instant, letterLink, party, shown, stamp, toneOf, type Html } from './words.ts';

export type LetterSeen = {
  readonly message: MessageId;
  /** The letter itself first, then what came of it; `undefined`: there are more. */
  readonly family: readonly (Member | undefined)[];
  readonly reasons: readonly Reason[];
  readonly subject: string | undefined;
  /** Name of a node. */
  readonly nodeOf: (incarnation: Incarnation) => string | undefined;
  /** Whose it is while it is not done. */
  readonly owner: Incarnation | undefined;
  readonly now: Instant;
  readonly identity: Identity;
  /** What an order came to, just now. */
  readonly done?: string;
};

export function letterPage(seen: LetterSeen): Html {
  const { message, family, reasons, subject, now, done } = seen;
  const [own] = family;
  const events = own?.events ?? [];
  const { state, envelope } = foldLetter(events);
  const addresses = state.recipients.map(({ address }) => address);
  return html`<div class="title">
      <h1>
        ${subject === undefined || subject === '' ? html`Letter` : html`<bdi>${shown(subject, 160)}</bdi>`}
      </h1>
      ${actions({ message, state, identity: seen.identity })}
    </div>
    ${done === undefined ? '' : html`<p class="done" role="status">${shown(done)}</p>`}
    <div
      id="live"
      hx-get="/letters/${message}"
      hx-trigger="desk:tick"
      hx-select="#live"
      hx-swap="outerMorph"
      hx-sync="this:drop"
    >
      ${facts(seen, events, state)}
      ${events.length === 0 ? html`<p class="nothing">No event of it can be read.</p>` : waybillPicture(events, addresses)}
      <h2>Recipients</h2>
      <ol class="recipients" start="0">
        ${reasons.map((reason) => recipient(reason, now, envelope))}
      </ol>
      <h2>Story</h2>
      ${story(own)}
    </div>`;
}

type State = ReturnType<typeof foldLetter>['state'];

const facts = (seen: LetterSeen, events: readonly RecordedEvent[], state: State): Html =>
  html`<dl class="facts">
    <div class="long">
      <dt>Id</dt>
      <dd class="id" id="letter-id">${seen.message}</dd>
    </div>
    ${fact('From', party(state.returnPath))}
    ${fact('Accepted', html`${instant(state.birth)} UTC, ${formatSpan(seen.now - state.birth)} ago`)}
    ${fact('Size', bytes(state.body.bytes))} ${fact('State', stamp(stateWord(state)))}
    ${nodeFact(events, seen)} ${parentFact(events)} ${childrenFact(seen.family.slice(1))}
  </dl>`;

const fact = (name: string, value: Html | string): Html =>
  html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div>`;

const stateWord = ({ held, done }: State): string => (done ? 'done' : held ? 'held' : 'open');

function parentFact(events: readonly RecordedEvent[]): Html {
  const parent = parentOf(events);
  if (parent === undefined) return html``;
  return fact('Comes from', html`${letterLink(parent.message)} (${parent.why})`);
}

function childrenFact(children: LetterSeen['family']): Html {
  if (children.length === 0) return html``;
  const links = children.map((child) =>
    child === undefined ? 'and more' : html`${letterLink(child.message)} `,
  );
  return fact('Led to', html`${links}`);
}

/** Who said 250, and who went on with it; nothing where one engine has the log to itself. */
function nodeFact(events: readonly RecordedEvent[], { nodeOf, owner }: LetterSeen): Html {
  const known = events as readonly (RecordedEvent & QueueEvent)[];
  const [first] = known;
  const accepted = first?.type === 'MessageAccepted' ? first.data.owner : undefined;
  const adopted = known.findLast(({ type }) => type === 'MessageAdopted');
  const last = adopted?.type === 'MessageAdopted' ? adopted.data.by : undefined;
  const now = owner ?? last ?? accepted;
  if (now === undefined || now === '') return html``;
  const taken =
    accepted !== undefined && accepted !== now ? html`, accepted by ${named(accepted)}` : '';
  return fact('Node', html`<a href="/nodes">${named(now)}</a>${taken}`);

  function named(incarnation: Incarnation): Html {
    return html`<bdi title="${incarnation}">${shown(nodeOf(incarnation) ?? '', 100)}</bdi>`;
  }
}

function recipient(reason: Reason, now: Instant, envelope: readonly string[]): Html {
  const { recipient: rcpt, address, status } = reason;
  const before = envelope[rcpt];
  return html`<li id="rcpt-${rcpt}">
    <details ${status === 'delivered' ? '' : html`open`}>
      <summary>
        ${party(address)} ${stamp(status)}
        ${before === undefined || before === address ? '' : html`<small>was ${party(before)}</small>`}
      </summary>
      <div class="why" aria-label="Why">
        ${formatReason(reason, now).map((line) => html`<p class="${line.startsWith('  ') ? 'deeper' : ''}">${line.trim()}</p>`)}
      </div>
    </details>
  </li>`;
}

function story(member: Member | undefined): Html {
  if (member === undefined) return html``;
  const tell = storyTeller();
  return html`<ol class="story">
    ${member.events.map((event) => {
      const { at, text, more } = tell(event);
      return html`<li class="tone-${toneOfEvent(event.type)}">
        <time datetime="${formatInstant(at, 'ms')}"
          >${formatInstant(at, 'ms').replace('T', ' ')}</time
        >
        <div>
          <p>${text}</p>
          ${more.map((line) => html`<p class="more">${line}</p>`)}
        </div>
      </li>`;
    })}
    ${member.lost.map((revision) => html`<li class="tone-bad">event ${revision} of this letter is damaged</li>`)}
  </ol>`;
}

/** `RecipientDeferred` has the tone of `deferred`. */
const toneOfEvent = (type: string): string =>
  type.startsWith('Recipient') ? toneOf(type.slice('Recipient'.length).toLowerCase()) : 'ink';

function parentOf(events: readonly RecordedEvent[]) {
  const first = events[0] as (RecordedEvent & QueueEvent) | undefined;
  return first?.type === 'MessageAccepted' ? first.data.parent : undefined;
}
