/** For who is not in yet. */
import { html } from 'hono/html';
import { document } from './layout.ts';
import type { Html } from './words.ts';

export type LoginAsk = {
  readonly next: string;
  readonly hasPassword: boolean;
  readonly trouble?: string;
};

export const loginPage = ({ next, hasPassword, trouble }: LoginAsk): Html =>
  document(
    'Come in',
    html`<main id="main" class="door" tabindex="-1">
      <h1><span class="mark" aria-hidden="true"></span>Waybill</h1>
      ${trouble === undefined ? '' : html`<p class="trouble" role="alert">${trouble}</p>`}
      ${hasPassword ? form(next) : withoutPassword}
    </main>`,
  );

const form = (next: string): Html =>
  html`<form method="post" action="/login" class="stack">
    <input type="hidden" name="next" value="${next}" />
    <label
      >Your name, for the record<input
        name="who"
        autocomplete="username"
        maxlength="60"
        autocapitalize="none"
    /></label>
    <label
      >Password<input
        name="password"
        type="password"
        autocomplete="current-password"
        required
        maxlength="1000"
        autofocus
    /></label>
    <button type="submit" class="main">Come in</button>
  </form>`;

const withoutPassword = html`<p>
    No password is set, so this desk is open only to the user who runs the engine, on this machine.
  </p>
  <p>Are you that user? Ask for a link that works once:</p>
  <pre>npm run -s waybill -- desk link</pre>
  <p>Or set a password, and start the engine anew:</p>
  <pre>npm run -s waybill -- desk password</pre>`;
