/**
 * The whole log, added up: every recipient accepted is delivered, failed, cancelled or open; each has
 * one terminal event; every attempt has its record; nothing happens to a letter before it is accepted
 * or after it is done. A fold of its own, which shares no code with the queue that it checks.
 *
 * Keeps in memory only letters that are not done.
 */
import type { RecordedEvent } from '../log/ports.ts';
import type { MessageId } from '../mail/envelope.ts';
import { eventName, messageOf, type QueueEvent } from '../queue/events.ts';
import { say, type Audit } from './audit-books.ts';
import { evolve, type EventIn } from './audit-letter.ts';

/** In place: the verifier alone holds it. Never throws: an event that is not what its type says is a mistake. */
export function foldAudit(audit: Audit, event: RecordedEvent): Audit {
  audit.events += 1;
  audit.position = event.position;
  const message = messageOf(event.stream);
  if (message === undefined) return audit;
  const known = event as RecordedEvent & QueueEvent;
  try {
    if (known.type === 'MessageAccepted') accept(audit, message, known);
    else happen(audit, message, known);
  } catch {
    say(audit, event, `${eventName(event)} does not look like one`);
  }
  return audit;
}

/** Recipients without a terminal event, counted letter by letter. */
export function openRecipients({ open }: Audit): number {
  let sum = 0;
  for (const { status } of open.values()) {
    sum += status.filter((each) => each === 'w' || each === 'a').length;
  }
  return sum;
}

/** Letters whose bounce is neither queued nor discarded yet. */
export const owedBounces = ({ open }: Audit): number =>
  [...open.values()].filter(({ settled, answered }) => settled && !answered).length;

/** What only shows when everything is folded in: sums that do not fit, letters that never settled. */
export function closeAudit(audit: Audit): Audit {
  const { recipients, position } = audit;
  const { accepted, delivered, failed, cancelled } = recipients;
  const open = openRecipients(audit);
  if (accepted !== delivered + failed + cancelled + open) {
    const sum = `${delivered} delivered + ${failed} failed + ${cancelled} cancelled + ${open} open`;
    say(audit, { position, stream: '' }, `${accepted} recipients accepted, but ${sum}`);
  }
  for (const [message, letter] of audit.open) {
    const place = { position, stream: `message-${message}` };
    if (!letter.queued) say(audit, place, 'was accepted, but never queued');
    if (letter.unfinished === 0 && !letter.settled)
      say(audit, place, 'has no recipient left, but never settled');
  }
  return audit;
}

function accept(audit: Audit, message: MessageId, event: EventIn<'MessageAccepted'>): void {
  const { envelope, body, parent, owner } = event.data;
  if (event.revision !== 0) say(audit, event, 'accepted in the middle of its stream');
  if (audit.open.has(message)) {
    say(audit, event, 'accepted twice');
    return;
  }
  const { length } = envelope.recipients;
  audit.letters.accepted += 1;
  audit.recipients.accepted += length;
  const from = parent === undefined ? undefined : audit.open.get(parent.message);
  if (from !== undefined) (from.children ??= new Set()).add(message);
  audit.open.set(message, {
    ...{ body, owner, revision: event.revision, attempts: 0, unfinished: length, failed: 0 },
    status: Array.from({ length }, () => 'w' as const),
    attempt: Array.from({ length }, () => 0),
    ...{ queued: false, held: false, settled: false, answered: false },
    children: undefined,
  });
}

function happen(audit: Audit, message: MessageId, event: RecordedEvent & QueueEvent): void {
  const letter = audit.open.get(message);
  if (letter === undefined) {
    say(audit, event, `${event.type} after the end of its letter, or before its beginning`);
    return;
  }
  if (event.revision !== letter.revision + 1) {
    say(audit, event, `revision ${event.revision} follows revision ${letter.revision}`);
  }
  letter.revision = event.revision;
  if (!letter.queued && event.type !== 'MessageQueued')
    say(audit, event, `${event.type} before it was queued`);
  evolve(audit, letter, event);
  if (event.type === 'MessageCleanedUp') audit.open.delete(message);
}
