/** What cannot be shown, and why. */
import { html } from 'hono/html';
import { shown, type Html } from './words.ts';

export const troublePage = (title: string, words: string): Html =>
  html`<h1>${title}</h1>
    <p class="trouble" role="alert">${shown(words, 500)}</p>
    <p><a href="/search">Search</a> or go to the <a href="/">overview</a>.</p>`;
