/** The live tail: events as they come. The rows are made by the script, as text; these are the first ones. */
import { html } from 'hono/html';
import type { RecordedEvent } from '../../log/ports.ts';
import { messageOf } from '../../queue/events.ts';
import { formatInstant, safe } from '../../trace/words.ts';
import { gistOf } from './gist.ts';
import { letterLink, type Html } from './words.ts';

export type TailSeen = { readonly events: readonly RecordedEvent[]; readonly after: number };

/** Every type that a reader may want to see alone. */
const types = [
  ...[
    'MessageAccepted',
    'MessageQueued',
    'AttemptStarted',
    'RecipientDelivered',
    'RecipientDeferred',
  ],
  ...['RecipientFailed', 'BounceQueued', 'MessageCleanedUp', 'RetryRequested', 'MessageHeld'],
  ...['MessageReleased', 'RecipientRedirected', 'RecipientCancelled', 'Refused', 'RoleLost'],
];

export const tailPage = ({ events, after }: TailSeen): Html =>
  html`<h1>Live</h1>
    <form id="tail-form" class="filters" action="/tail">
      <label
        >Type<select name="type">
          <option value="">any</option>
          ${types.map((type) => html`<option>${type}</option>`)}
        </select></label
      >
      <label
        >Holds the text<input
          name="text"
          autocomplete="off"
          spellcheck="false"
          placeholder="address, host, id"
      /></label>
      <button type="button" id="pause" aria-pressed="false">Pause</button>
      <button type="button" id="clear">Clear</button>
      <span id="tail-state" class="told" role="status">connecting</span>
    </form>
    <ol
      id="tail"
      class="tail"
      data-after="${after}"
      tabindex="0"
      aria-label="Events, the youngest first"
    >
      ${events.map(row)}
    </ol>`;

function row(event: RecordedEvent): Html {
  const { at, type, stream } = event;
  const message = messageOf(stream);
  return html`<li data-type="${type}">
    <time datetime="${formatInstant(at, 'ms')}">${formatInstant(at, 'ms').slice(11, 23)}</time>
    <b>${type}</b>
    ${message === undefined ? html`<span class="id">${safe(stream, 80)}</span>` : letterLink(message)}
    <span class="data">${gistOf(event)}</span>
  </li>`;
}

/** The same for the script, which makes the row. */
export const tailRow = (event: RecordedEvent): string =>
  JSON.stringify({
    ...{ position: event.position, type: event.type, at: formatInstant(event.at, 'ms') },
    ...{ stream: safe(event.stream, 80), letter: messageOf(event.stream), gist: gistOf(event) },
  });
