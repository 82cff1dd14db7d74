/**
 * Which recipients wait, when each is due, which letters owe a bounce: all that scheduling needs.
 * The rest of a letter is read back from its stream when its turn comes.
 */
import type { NewEvent } from '../src/log/ports.ts';
import type { MessageId } from '../src/mail/envelope.ts';
import { eventName, messageOf, type QueueEvent, type Route } from '../src/queue/events.ts';
import { none, rowStatus } from './agenda-rows.ts';
import { AgendaTable } from './agenda-table.ts';

export type Agenda = {
  readonly rows: AgendaTable;
  /** Settled letters whose bounce is neither queued nor discarded yet. */
  readonly owing: Set<MessageId>;
  /** Letters with an event that this fold makes nothing of, and which: nothing is attempted for them. */
  readonly aside: Map<MessageId, string>;
};

export const empty = (): Agenda => ({
  ...{ rows: new AgendaTable(), owing: new Set(), aside: new Map() },
});

/**
 * In place: the projector alone holds the view, and a long queue must not be copied per event. Never throws: what
 * an event of a letter breaks is that letter's affair, and all others go on.
 */
export function fold(agenda: Agenda, event: NewEvent & { readonly stream: string }): Agenda {
  const message = messageOf(event.stream);
  if (message !== undefined) {
    try {
      foldLetter(agenda, message, event as QueueEvent);
    } catch {
      setAside(agenda, message, `${eventName(event)} does not look like one`);
    }
    return agenda;
  }
  if (event.type === 'RetryAllRequested') retryAll(agenda, event.at);
  return agenda;
}

function retryAll({ rows }: Agenda, at: number): void {
  for (const letter of rows.openLetters()) {
    for (const row of rows.rowsOf(letter)) {
      if (rows.status[row] === rowStatus.waiting) rows.wait(row, Math.min(at, rows.due[row]!));
    }
  }
}

/** By the first event that is the matter. */
function setAside({ aside }: Agenda, message: MessageId, why: string): void {
  if (!aside.has(message)) aside.set(message, why);
}

function foldLetter(agenda: Agenda, message: MessageId, event: QueueEvent): void {
  const { rows, owing, aside } = agenda;
  switch (event.type) {
    case 'MessageQueued':
      rows.add(message, event.data.routes.map(laneOf), event.at);
      break;
    case 'AttemptStarted':
      event.data.rcpts.forEach((rcpt, index) => {
        const row = rows.find(message, rcpt);
        if (row !== none) rows.attempt(row, laneOf(event.data.routes[index]!));
      });
      break;
    case 'RecipientDeferred': {
      const row = rows.find(message, event.data.rcpt);
      if (row !== none) rows.wait(row, instant(event.data.dueAt));
      break;
    }
    case 'RecipientDelivered':
    case 'RecipientFailed':
    case 'RecipientCancelled': {
      const row = rows.find(message, event.data.rcpt);
      if (row !== none) rows.remove(row);
      break;
    }
    case 'RecipientRedirected':
    case 'RetryRequested':
      for (const rcpt of event.type === 'RetryRequested' ? event.data.rcpts : [event.data.rcpt]) {
        const row = rows.find(message, rcpt);
        if (row !== none) rows.wait(row, event.at);
      }
      break;
    case 'MessageHeld':
      rows.hold(message, true);
      break;
    case 'MessageReleased':
      rows.hold(message, false);
      break;
    case 'MessageSettled':
    case 'MessageCleanedUp':
      // A letter that ends while somebody waits has lost an event, or has one too many.
      if (rows.has(message)) {
        setAside(agenda, message, `${eventName(event)} makes no sense: recipients are not done`);
      } else if (event.type === 'MessageSettled') owing.add(message);
      else {
        owing.delete(message);
        if (aside.size > 0) aside.delete(message);
      }
      break;
    default:
  }
}

/** Rows are ordered by it: among numbers, anything else would have no place. */
function instant(at: unknown): number {
  if (Number.isFinite(at)) return at as number;
  throw new TypeError('no instant');
}

/**
 * The lane of a route: letters in one lane wait for each other, lanes do not. Remote: the next hop.
 * Local: the user, so that one user's hanging program holds up nobody else.
 */
export function laneOf({ channel, hop, address }: Route): string {
  if (channel === 'remote') return `remote ${hop.relay === undefined ? hop.host : at(hop.relay)}`;
  const local = address.slice(0, Math.max(0, address.lastIndexOf('@')));
  const dash = local.indexOf('-');
  return `local ${(dash === -1 ? local : local.slice(0, dash)).toLowerCase()}`;
}

const at = ({ host, port }: { readonly host: string; readonly port: number }): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
