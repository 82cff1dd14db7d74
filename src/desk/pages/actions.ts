/** An operator's hand on a letter: a dialog per order, which asks for the reason. */
import { html } from 'hono/html';
import type { MessageId } from '../../mail/envelope.ts';
import type { OperatorRequest } from '../../queue/operator.ts';
import type { QueueState } from '../../queue/state.ts';
import type { Identity } from '../guard/gate.ts';
import { letterPath, shown, type Html } from './words.ts';

export type Act = OperatorRequest['act'];

type Told = { readonly button: string; readonly what: string; readonly tone?: string };

const acts: Readonly<Record<Act, Told>> = {
  retry: { button: 'Retry now', what: 'Everything of it that waits is due now.' },
  hold: { button: 'Hold', what: 'No attempt is started until it is released.' },
  release: { button: 'Release', what: 'It is attempted again when it is due.' },
  redirect: { button: 'Redirect', what: 'One recipient is replaced by another address.' },
  cancel: {
    button: 'Cancel delivery',
    what: 'Those who still wait are given up, without a bounce. That cannot be taken back.',
    tone: 'bad',
  },
};

export const actNames = Object.keys(acts) as readonly Act[];

export type ActionsSeen = {
  readonly message: MessageId;
  readonly state: Readonly<QueueState>;
  readonly identity: Identity;
};

/** Nothing where nothing can be done. */
export function actions({ message, state, identity }: ActionsSeen): Html {
  if (state.done || state.recipients.length === 0) return html``;
  const offered = actNames.filter((act) => (state.held ? act !== 'hold' : act !== 'release'));
  return html`<section class="hand" aria-label="By hand">
    <div class="buttons">
      ${offered.map((act) => html`<button type="button" data-dialog="act-${act}" class="${acts[act].tone ?? ''}">${acts[act].button}…</button>`)}
    </div>
    ${offered.map((act) => dialog(act, { message, state, identity }))}
  </section>`;
}

const dialog = (act: Act, { message, state, identity }: ActionsSeen): Html =>
  html`<dialog id="act-${act}" aria-labelledby="act-${act}-title">
    <form method="post" action="${letterPath(message)}/${act}" class="stack">
      <h2 id="act-${act}-title">${acts[act].button}</h2>
      <p>${acts[act].what}</p>
      <input type="hidden" name="csrf" value="${identity.csrf}" />
      ${act === 'hold' || act === 'release' ? '' : whom(act, state)}
      ${act === 'redirect' ? html`<label>New address<input name="to" required maxlength="900" autocomplete="off" autocapitalize="none" spellcheck="false" /></label>` : ''}
      <label
        >Reason, for the record<input name="why" required maxlength="300" autocomplete="off"
      /></label>
      <p class="small">Recorded as done by <b>${shown(identity.who, 80)}</b>.</p>
      <div class="buttons">
        <button type="submit" class="${acts[act].tone ?? 'main'}">${acts[act].button}</button
        ><button type="button" data-close>Leave it</button>
      </div>
    </form>
  </dialog>`;

/** So many are offered one by one. */
const mostOffered = 200;

const whom = (act: Act, { recipients }: Readonly<QueueState>): Html =>
  html`<label
    >Whom<select name="rcpt">
      ${act === 'redirect' || recipients.length === 1 ? '' : html`<option value="">all that wait</option>`}
      ${recipients
        .map(({ address, status }, rcpt) => ({ address, status, rcpt }))
        .filter(({ status }) => status === 'waiting' || status === 'attempting')
        .slice(0, mostOffered)
        .map(
          ({ address, rcpt }) =>
            html`<option value="${rcpt}">${rcpt} ${shown(address, 100)}</option>`,
        )}
    </select></label
  >`;
