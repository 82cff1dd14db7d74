/**
 * Why an event cannot follow those before it: no decider of ours has written it. Somebody else may have, where
 * the log is an event store, or a fault of ours. Words hold nothing of the event but its type and numbers.
 */
import type { RecipientNo } from '../mail/envelope.ts';
import type { QueueEvent } from './events.ts';
import type { QueueState } from './state.ts';

/** `undefined`: it may well follow. */
export function whyOutOfPlace(state: QueueState, event: QueueEvent): string | undefined {
  const exists = state.body.id !== '';
  if (event.type === 'MessageAccepted') return exists ? 'the letter is there already' : undefined;
  if (!exists) return 'the letter is not there yet';
  if (state.done) return 'the letter has ended';
  switch (event.type) {
    case 'MessageQueued': {
      const routes = event.data.routes.length;
      const recipients = state.recipients.length;
      if (routes !== recipients) return `it has ${routes} routes for ${recipients} recipients`;
      return state.recipients[0]?.route === undefined ? undefined : 'it is queued already';
    }
    case 'AttemptStarted': {
      const { attempt, rcpts, routes } = event.data;
      if (attempt <= state.attempts) return `attempt ${attempt} follows attempt ${state.attempts}`;
      if (rcpts.length === 0 || rcpts.length !== routes.length) {
        return `it has ${routes.length} routes for ${rcpts.length} recipients`;
      }
      for (const rcpt of rcpts) if (!isOpen(state, rcpt)) return whyNotOpen(state, rcpt);
      return undefined;
    }
    case 'RecipientDelivered':
    case 'RecipientDeferred':
    case 'RecipientFailed':
    case 'RecipientCancelled':
    case 'RecipientRedirected':
      return isOpen(state, event.data.rcpt) ? undefined : whyNotOpen(state, event.data.rcpt);
    case 'RetryRequested': {
      const nobody = event.data.rcpts.find((rcpt) => state.recipients[rcpt] === undefined);
      return nobody === undefined ? undefined : whyNotOpen(state, nobody);
    }
    case 'MessageSettled':
    case 'MessageCleanedUp':
      return state.unfinished === 0 ? undefined : `${state.unfinished} recipients are not done`;
    default:
      return undefined;
  }
}

/** Asked for every event of every letter. */
function isOpen({ recipients }: QueueState, rcpt: RecipientNo): boolean {
  const status = recipients[rcpt]?.status;
  return status === 'waiting' || status === 'attempting';
}

function whyNotOpen({ recipients }: QueueState, rcpt: RecipientNo): string {
  const recipient = recipients[rcpt];
  return recipient === undefined
    ? `recipient ${rcpt} is none of its ${recipients.length}`
    : `recipient ${rcpt} is ${recipient.status} already`;
}
