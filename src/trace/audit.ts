/**
 * The whole log, added up: every recipient accepted is delivered, failed, cancelled or open; each has
 * one terminal event; every attempt has its record; nothing happens to a letter before it is accepted
 * or after it is done. A fold of its own, which shares no code with the queue that it checks.
 *
 * Keeps in memory only letters that are not done.
 */
import type { Position, RecordedEvent, Revision } from '../log/ports.ts';
import type { BodyRef, MessageId, RecipientNo } from '../mail/envelope.ts';
import type { Instant } from '../platform/clock.ts';
import { messageOf, type QueueEvent } from '../queue/events.ts';

/** Something in the log that cannot be. */
export type Mistake = {
  readonly position: Position;
  readonly stream: string;
  readonly what: string;
};

/** An attempt that nobody knows the end of. */
export type Doubt = {
  readonly message: MessageId;
  readonly recipient: RecipientNo;
  readonly attempt: number;
  readonly startedAt: Instant;
  readonly recordedAt: Instant;
};

export type Audit = {
  events: number;
  position: Position;
  readonly letters: { accepted: number; done: number };
  readonly recipients: { accepted: number; delivered: number; failed: number; cancelled: number };
  readonly bounces: { queued: number; discarded: number };
  attempts: number;
  /** The first thousand in full, all of them counted. */
  readonly mistakes: Mistake[];
  mistakeCount: number;
  readonly doubts: Doubt[];
  doubtCount: number;
  /** Letters that are not done. */
  readonly open: Map<MessageId, OpenLetter>;
};

export type OpenLetter = {
  readonly body: BodyRef;
  /** By recipient: w aiting, a ttempting, d elivered, f ailed, c ancelled. */
  readonly status: ('w' | 'a' | 'd' | 'f' | 'c')[];
  /** The number of the attempt that each is in, or was in last. */
  readonly attempt: number[];
  revision: Revision;
  queued: boolean;
  attempts: number;
  /** Recipients without a terminal event. */
  unfinished: number;
  failed: number;
  held: boolean;
  settled: boolean;
  answered: boolean;
  /** Children accepted so far that name this letter as their parent. */
  readonly children: Set<MessageId>;
};

const mostKept = 1_000;

export const emptyAudit = (): Audit => ({
  ...{ events: 0, position: 0, attempts: 0, mistakeCount: 0, doubtCount: 0 },
  letters: { accepted: 0, done: 0 },
  recipients: { accepted: 0, delivered: 0, failed: 0, cancelled: 0 },
  bounces: { queued: 0, discarded: 0 },
  ...{ mistakes: [], doubts: [], open: new Map() },
});

/** In place: the verifier alone holds it. */
export function foldAudit(audit: Audit, event: RecordedEvent): Audit {
  audit.events += 1;
  audit.position = event.position;
  const message = messageOf(event.stream);
  if (message === undefined) return audit;
  const known = event as RecordedEvent & QueueEvent;
  if (known.type === 'MessageAccepted') accept(audit, message, known);
  else happen(audit, message, known);
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
    if (letter.unfinished === 0 && !letter.settled) say(audit, place, 'has no recipient left, but never settled');
  }
  return audit;
}

type Place = { readonly position: Position; readonly stream: string };

function say(audit: Audit, { position, stream }: Place, what: string): void {
  audit.mistakeCount += 1;
  if (audit.mistakes.length < mostKept) audit.mistakes.push({ position, stream, what });
}

type EventIn<Type extends QueueEvent['type']> = RecordedEvent & Extract<QueueEvent, { type: Type }>;

function accept(audit: Audit, message: MessageId, event: EventIn<'MessageAccepted'>): void {
  const { envelope, body, parent } = event.data;
  if (event.revision !== 0) say(audit, event, 'accepted in the middle of its stream');
  if (audit.open.has(message)) {
    say(audit, event, 'accepted twice');
    return;
  }
  const { length } = envelope.recipients;
  audit.letters.accepted += 1;
  audit.recipients.accepted += length;
  if (parent !== undefined) audit.open.get(parent.message)?.children.add(message);
  audit.open.set(message, {
    ...{ body, revision: event.revision, attempts: 0, unfinished: length, failed: 0 },
    status: Array.from({ length }, () => 'w' as const),
    attempt: Array.from({ length }, () => 0),
    ...{ queued: false, held: false, settled: false, answered: false },
    children: new Set(),
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
  if (!letter.queued && event.type !== 'MessageQueued') say(audit, event, `${event.type} before it was queued`);
  evolve(audit, letter, event);
  if (event.type === 'MessageCleanedUp') audit.open.delete(message);
}

function evolve(audit: Audit, letter: OpenLetter, event: RecordedEvent & QueueEvent): void {
  switch (event.type) {
    case 'MessageQueued':
      if (letter.queued) say(audit, event, 'queued twice');
      if (event.data.routes.length !== letter.status.length) {
        say(audit, event, `${event.data.routes.length} routes for ${letter.status.length} recipients`);
      }
      letter.queued = true;
      break;
    case 'AttemptStarted':
      start(audit, letter, event);
      break;
    case 'RecipientDelivered':
      finish(audit, letter, event, 'd');
      forwards(audit, letter, event);
      break;
    case 'RecipientDeferred':
      finish(audit, letter, event, 'w');
      break;
    case 'RecipientFailed':
      finish(audit, letter, event, 'f');
      break;
    case 'RecipientCancelled':
      end(audit, letter, event, event.data.rcpt, 'w', 'c');
      break;
    case 'MessageHeld':
    case 'MessageReleased':
      if (letter.held === (event.type === 'MessageHeld')) say(audit, event, `${event.type} twice`);
      letter.held = event.type === 'MessageHeld';
      break;
    case 'MessageSettled':
      settle(audit, letter, event);
      break;
    case 'BounceQueued':
    case 'BounceDiscarded':
      answer(audit, letter, event);
      break;
    case 'MessageCleanedUp':
      cleanUp(audit, letter, event);
      break;
    case 'RetryRequested':
    case 'RecipientRedirected':
      break;
    default: {
      const stranger: RecordedEvent = event;
      say(audit, stranger, `${stranger.type} is no event of a letter that this release knows`);
    }
  }
}

function start(audit: Audit, letter: OpenLetter, event: EventIn<'AttemptStarted'>): void {
  const { attempt, rcpts } = event.data;
  audit.attempts += 1;
  if (attempt !== letter.attempts + 1) {
    say(audit, event, `attempt ${attempt} follows attempt ${letter.attempts}`);
  }
  if (letter.held) say(audit, event, `attempt ${attempt} of a letter that is held`);
  letter.attempts = attempt;
  for (const rcpt of rcpts) {
    if (letter.status[rcpt] !== 'w') {
      say(audit, event, `attempt ${attempt} to recipient ${rcpt}, who does not wait`);
      continue;
    }
    letter.status[rcpt] = 'a';
    letter.attempt[rcpt] = attempt;
  }
}

type VerdictEvent = EventIn<'RecipientDelivered' | 'RecipientDeferred' | 'RecipientFailed'>;

/** A verdict needs the record of its attempt, with this recipient in it. */
function finish(audit: Audit, letter: OpenLetter, event: VerdictEvent, to: 'd' | 'w' | 'f'): void {
  const { rcpt, attempt } = event.data;
  const under = letter.status[rcpt] === 'a' && letter.attempt[rcpt] === attempt;
  if (letter.status[rcpt] === 'w' || (letter.status[rcpt] === 'a' && !under)) {
    say(audit, event, `recipient ${rcpt}: a verdict on attempt ${attempt}, which was never recorded for it`);
  }
  if ('doubt' in event.data && event.data.doubt === true) doubt(audit, event);
  if (to === 'w') {
    if (isTerminal(letter.status[rcpt])) say(audit, event, `recipient ${rcpt} deferred after its terminal event`);
    else letter.status[rcpt] = 'w';
    return;
  }
  end(audit, letter, event, rcpt, undefined, to);
}

const isTerminal = (status: string | undefined): boolean =>
  status === 'd' || status === 'f' || status === 'c';

const counters = { d: 'delivered', f: 'failed', c: 'cancelled' } as const;

/** A terminal event. It is counted even where it is a mistake: the balance must show it. */
function end(
  audit: Audit,
  letter: OpenLetter,
  event: RecordedEvent,
  rcpt: RecipientNo,
  needed: 'w' | undefined,
  to: 'd' | 'f' | 'c',
): void {
  audit.recipients[counters[to]] += 1;
  const before = letter.status[rcpt];
  if (before === undefined) {
    say(audit, event, `there is no recipient ${rcpt}`);
    return;
  }
  if (isTerminal(before)) {
    say(audit, event, `recipient ${rcpt} has a second terminal event`);
    return;
  }
  if (needed !== undefined && before !== needed) {
    say(audit, event, `recipient ${rcpt} ended by hand in the middle of an attempt`);
  }
  letter.status[rcpt] = to;
  letter.unfinished -= 1;
  if (to === 'f') letter.failed += 1;
}

function doubt(audit: Audit, { stream, at, data }: VerdictEvent): void {
  audit.doubtCount += 1;
  if (audit.doubts.length >= mostKept) return;
  const { rcpt: recipient, attempt, startedAt } = data;
  audit.doubts.push({ message: messageOf(stream)!, recipient, attempt, startedAt, recordedAt: at });
}

function forwards(audit: Audit, letter: OpenLetter, event: EventIn<'RecipientDelivered'>): void {
  for (const child of event.data.children ?? []) {
    if (!letter.children.has(child)) say(audit, event, `forwarded as letter ${child}, which was never accepted`);
  }
}

function settle(audit: Audit, letter: OpenLetter, event: EventIn<'MessageSettled'>): void {
  if (letter.settled) say(audit, event, 'settled twice');
  if (letter.unfinished > 0) say(audit, event, `settled with ${letter.unfinished} recipients open`);
  const failed = new Set(event.data.failed);
  const wrong = letter.status.some((status, rcpt) => (status === 'f') !== failed.has(rcpt));
  if (wrong || failed.size === 0) say(audit, event, 'settled with other failures than those recorded');
  letter.settled = true;
}

function answer(
  audit: Audit,
  letter: OpenLetter,
  event: EventIn<'BounceQueued'> | EventIn<'BounceDiscarded'>,
): void {
  if (!letter.settled) say(audit, event, `${event.type} before it settled`);
  if (letter.answered) say(audit, event, 'a second bounce');
  letter.answered = true;
  if (event.type === 'BounceDiscarded') {
    audit.bounces.discarded += 1;
    return;
  }
  audit.bounces.queued += 1;
  const { child } = event.data;
  if (!letter.children.has(child)) say(audit, event, `the bounce ${child} was never accepted`);
}

function cleanUp(audit: Audit, letter: OpenLetter, event: RecordedEvent): void {
  audit.letters.done += 1;
  if (letter.unfinished > 0) say(audit, event, `cleaned up with ${letter.unfinished} recipients open`);
  if (letter.failed > 0 && !letter.settled) say(audit, event, 'cleaned up with failures, but never settled');
  if (letter.settled && !letter.answered) say(audit, event, 'cleaned up without its bounce');
}
