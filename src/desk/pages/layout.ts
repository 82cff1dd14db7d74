/** The frame of every page: head, navigation, the help overlay, the place where news is said aloud. */
import { html, raw } from 'hono/html';
import type { Identity } from '../guard/gate.ts';
import { shown, type Html } from './words.ts';

export type Frame = {
  readonly title: string;
  /** Which entry of the navigation is this page's. */
  readonly here?: string;
  readonly identity: Identity;
  readonly node: string;
  /** Why nothing new is known. */
  readonly outage?: string;
  /** Entries that are there only when somebody answers them. */
  readonly extras?: { readonly ask: boolean; readonly whatIf: boolean };
};

type Entry = readonly [path: string, name: string, key: string];

const entries: readonly Entry[] = [
  ['/', 'Overview', 'o'],
  ['/queue', 'Queue', 'q'],
  ['/search', 'Search', 's'],
  ['/hosts', 'Hosts', 'h'],
  ['/nodes', 'Nodes', 'n'],
  ['/tail', 'Live', 'l'],
];

export function page({ title, here, identity, node, outage, extras }: Frame, main: Html): Html {
  const all: readonly Entry[] = [
    ...entries,
    ...(extras?.whatIf === true ? [['/what-if', 'What if', 'w'] as const] : []),
    ...(extras?.ask === true ? [['/ask', 'Ask', 'a'] as const] : []),
  ];
  return document(
    title,
    html`<header class="top">
        <a class="brand" href="/"
          ><span class="mark" aria-hidden="true"></span>Waybill <span class="node">${node}</span></a
        >
        <nav aria-label="Main">
          ${all.map(([path, name, key]) => html`<a href="${path}" data-key="${key}" ${path === here ? raw('aria-current="page"') : ''}>${name}</a>`)}
        </nav>
        <div class="tools">
          <button type="button" class="plain" id="theme" aria-label="Light or dark">
            <span aria-hidden="true">◐</span>
          </button>
          <button
            type="button"
            class="plain"
            id="help-open"
            aria-haspopup="dialog"
            aria-label="Keyboard shortcuts"
          >
            <kbd aria-hidden="true">?</kbd>
          </button>
          ${identity.how === 'session' ? logout(identity) : html`<span class="who" title="logged in as the engine's own user">${identity.who}</span>`}
        </div>
      </header>
      <main id="main" tabindex="-1">
        ${outage === undefined ? '' : html`<p class="trouble" role="alert">${shown(outage)}</p>`}${main}
      </main>
      <p id="said" class="unseen" role="status" aria-live="polite"></p>
      ${help(all)}`,
  );
}

/**
 * A page without navigation, for those who are not in yet. htmx is not deferred: it would begin a moment
 * after our own script, and the first key be lost.
 */
export const document = (title: string, body: Html): Html =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="htmx-config" content='{"includeIndicatorCSS":false,"history":"reload"}' />
        <title>${title} · Waybill</title>
        <link rel="icon" href="/assets/mark.svg" type="image/svg+xml" />
        <script src="/assets/theme.js"></script>
        <link rel="stylesheet" href="/assets/desk.css" />
        <script src="/assets/htmx.js"></script>
        <script type="module" src="/assets/desk.js"></script>
      </head>
      <body>
        <a class="skip" href="#main">Skip to the page</a>
        ${body}
      </body>
    </html>`;

const logout = ({ who, csrf }: Identity): Html =>
  html`<form method="post" action="/logout" class="inline">
    <input type="hidden" name="csrf" value="${csrf}" />
    <button type="submit" class="plain">Log out <span class="who">${who}</span></button>
  </form>`;

const help = (all: readonly Entry[]): Html =>
  html`<dialog id="help" aria-labelledby="help-title">
    <h2 id="help-title">Keyboard</h2>
    <dl class="keys">
      ${all.map(
        ([, name, key]) =>
          html`<div>
            <dt><kbd>g</kbd> <kbd>${key}</kbd></dt>
            <dd>${name}</dd>
          </div>`,
      )}
      <div>
        <dt><kbd>/</kbd></dt>
        <dd>Search, from anywhere</dd>
      </div>
      <div>
        <dt><kbd>j</kbd> <kbd>k</kbd></dt>
        <dd>Next, previous letter of a list</dd>
      </div>
      <div>
        <dt><kbd>[</kbd> <kbd>]</kbd></dt>
        <dd>Queue: back, ahead in time (with Shift: further)</dd>
      </div>
      <div>
        <dt><kbd>n</kbd></dt>
        <dd>Queue: now</dd>
      </div>
      <div>
        <dt><kbd>p</kbd></dt>
        <dd>Live: pause, go on</dd>
      </div>
      <div>
        <dt><kbd>t</kbd></dt>
        <dd>Light or dark</dd>
      </div>
      <div>
        <dt><kbd>?</kbd></dt>
        <dd>This help; <kbd>Esc</kbd> closes it</dd>
      </div>
    </dl>
    <form method="dialog"><button type="submit">Close</button></form>
  </dialog>`;
