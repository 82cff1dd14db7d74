/** Search: every field of the question, the answer as one types; the address is the question. */
import { html } from 'hono/html';
import {
  matchesRecipient,
  searchStatuses,
  statusOf,
  type Found,
  type Question,
} from '../../trace/search.ts';
import type { SearchPage } from '../../views/ports.ts';
import { bytes, instant, letterLink, list, party, shown, stamp, type Html } from './words.ts';

/** As it stands in the address, field by field. */
export type SearchTexts = Readonly<Record<SearchField, string>>;

export const searchFields = [
  ...['sender', 'recipient', 'domain', 'status', 'since', 'until'],
  ...['host', 'reply', 'id', 'messageId', 'parent'],
] as readonly SearchField[];

export type SearchField =
  | 'sender'
  | 'recipient'
  | 'domain'
  | 'status'
  | 'since'
  | 'until'
  | 'host'
  | 'reply'
  | 'id'
  | 'messageId'
  | 'parent';

export type SearchSeen = {
  readonly texts: SearchTexts;
  readonly question: Question;
  readonly page: SearchPage;
  readonly trouble?: string;
};

export const searchPage = ({ texts, question, page, trouble }: SearchSeen): Html =>
  html`<h1>Search</h1>
    <form
      class="search"
      role="search"
      action="/search"
      hx-get="/search"
      hx-trigger="input delay:200ms, submit"
      hx-target="#results"
      hx-select="#results"
      hx-swap="outerMorph"
      hx-replace-url="true"
      hx-sync="this:replace"
    >
      <div class="fields">
        ${field('sender', 'From', texts, 'joe@a.test · @a.test · *list* · <>')}
        ${field('recipient', 'To', texts, 'joe@b.test · @b.test')}
        ${field('domain', 'Domain of either', texts, 'b.test')}
        <label
          >State<select name="status">
            ${['', ...searchStatuses].map((status) => html`<option value="${status}" ${status === texts.status ? html`selected` : ''}>${status === '' ? 'any' : status}</option>`)}
          </select></label
        >
        ${field('reply', 'Reply says', texts, 'mailbox full')}
        ${field('since', 'Since', texts, '-2h · yesterday · 2026-11-21')}
        ${field('until', 'Until', texts, 'now')}
        ${field('host', 'Host', texts, 'mx.b.test · 192.0.2.7')}
        ${field('id', 'Id', texts, 'part of it')}
        ${field('messageId', 'Message-ID', texts, '20261121.1@a.test')}
        ${field('parent', 'Comes from letter', texts, 'its id')}
      </div>
      <button type="submit">Search</button>
    </form>
    <section id="results" aria-label="Letters found">
      ${trouble === undefined ? '' : html`<p class="trouble" role="alert">${trouble}</p>`}
      <p class="told" id="results-told" role="status">${told(page)}</p>
      ${page.letters.length === 0 ? html`<p class="nothing">No letter answers to that.</p>` : results(page.letters, question)}
      ${page.next === undefined ? '' : html`<nav class="pages" aria-label="Pages"><a class="button" rel="next" href="${nextAddress(texts, page.next)}">Older letters</a></nav>`}
    </section>`;

const field = (name: SearchField, label: string, texts: SearchTexts, hint: string): Html =>
  html`<label
    >${label}<input
      name="${name}"
      value="${texts[name]}"
      placeholder="${hint}"
      autocomplete="off"
      autocapitalize="none"
      spellcheck="false"
      ${name === 'recipient' ? html`id="first-field"` : ''}
  /></label>`;

const told = ({ letters, next }: SearchPage): string =>
  `${letters.length}${next === undefined ? '' : ' or more'} ${letters.length === 1 && next === undefined ? 'letter' : 'letters'}, the youngest first`;

function nextAddress(texts: SearchTexts, next: string): string {
  const asked = new URLSearchParams();
  for (const name of searchFields) if (texts[name] !== '') asked.set(name, texts[name]);
  asked.set('after', next);
  return `/search?${asked.toString()}`;
}

const results = (letters: readonly Found[], question: Question): Html =>
  list(
    ['Accepted', 'Letter', 'From', 'To', 'State', 'What was said'],
    letters.map((letter) => row(letter, question)),
  );

function row(letter: Found, question: Question): Html {
  const meant = letter.recipients.find((recipient) =>
    matchesRecipient(letter, recipient, question),
  );
  const others = letter.recipients.length - 1;
  return html`<tr>
    <td data-name="Accepted">${instant(letter.at)}</td>
    <td data-name="Letter">${letterLink(letter.message)} <small>${bytes(letter.bytes)}</small></td>
    <td data-name="From">${party(letter.returnPath)}</td>
    <td data-name="To">
      ${meant === undefined ? 'nobody' : party(meant.address)}${others > 0 ? html` <small>and ${others} more</small>` : ''}
    </td>
    <td data-name="State">${stamp(statusOf(letter))}</td>
    <td data-name="Said" class="said">${shown(meant?.reply ?? '', 200)}</td>
  </tr>`;
}
