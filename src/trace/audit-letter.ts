/** One letter's events, held against what came before them: the part of the audit that knows the rules. */
import type { RecordedEvent } from '../log/ports.ts';
import type { RecipientNo } from '../mail/envelope.ts';
import { messageOf, type QueueEvent } from '../queue/events.ts';
import { mostKept, say, type Audit, type OpenLetter } from './audit-books.ts';

/** An event of one type as it stands in the log. */
export type EventIn<Type extends QueueEvent['type']> = RecordedEvent &
  Extract<QueueEvent, { type: Type }>;

/** In place: the letter after this event; what should not be is said in the books. */
export function evolve(audit: Audit, letter: OpenLetter, event: RecordedEvent & QueueEvent): void {
  switch (event.type) {
    case 'MessageAdopted':
      adopt(audit, letter, event);
      break;
    case 'MessageQueued':
      if (letter.queued) say(audit, event, 'queued twice');
      if (event.data.routes.length !== letter.status.length) {
        say(
          audit,
          event,
          `${event.data.routes.length} routes for ${letter.status.length} recipients`,
        );
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

/** Owners follow each other without a gap. */
function adopt(audit: Audit, letter: OpenLetter, event: EventIn<'MessageAdopted'>): void {
  const { by, from } = event.data;
  if (from !== letter.owner) {
    say(audit, event, `adopted from ${from ?? 'nobody'}, but it is ${letter.owner ?? 'nobody'}’s`);
  }
  letter.owner = by;
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
    say(
      audit,
      event,
      `recipient ${rcpt}: a verdict on attempt ${attempt}, which was never recorded for it`,
    );
  }
  if ('doubt' in event.data && event.data.doubt === true) doubt(audit, event);
  if (to === 'w') {
    if (isTerminal(letter.status[rcpt]))
      say(audit, event, `recipient ${rcpt} deferred after its terminal event`);
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
    if (letter.children?.has(child) !== true)
      say(audit, event, `forwarded as letter ${child}, which was never accepted`);
  }
}

function settle(audit: Audit, letter: OpenLetter, event: EventIn<'MessageSettled'>): void {
  if (letter.settled) say(audit, event, 'settled twice');
  if (letter.unfinished > 0) say(audit, event, `settled with ${letter.unfinished} recipients open`);
  const failed = new Set(event.data.failed);
  const wrong = letter.status.some((status, rcpt) => (status === 'f') !== failed.has(rcpt));
  if (wrong || failed.size === 0)
    say(audit, event, 'settled with other failures than those recorded');
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
  if (letter.children?.has(child) !== true)
    say(audit, event, `the bounce ${child} was never accepted`);
}

function cleanUp(audit: Audit, letter: OpenLetter, event: RecordedEvent): void {
  audit.letters.done += 1;
  if (letter.unfinished > 0)
    say(audit, event, `cleaned up with ${letter.unfinished} recipients open`);
  if (letter.failed > 0 && !letter.settled)
    say(audit, event, 'cleaned up with failures, but never settled');
  if (letter.settled && !letter.answered) say(audit, event, 'cleaned up without its bounce');
}
