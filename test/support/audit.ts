/** The promises that every letter's story must keep. */
import { expect } from '@jest/globals';
import type { Instant } from '../../src/platform/clock.ts';
import type { QueueEvent } from '../../src/queue/events.ts';
import { nextAttempt, tooLongInQueue } from '../../src/queue/schedule.ts';

type Of<T extends QueueEvent['type']> = Extract<QueueEvent, { type: T }>;
type Started = Of<'AttemptStarted'>;
type Verdict = Of<'RecipientDelivered' | 'RecipientDeferred' | 'RecipientFailed'>;

type Books = {
  readonly birth: Instant;
  readonly recipients: number;
  /** Attempts by number, and which one a recipient is in. */
  readonly open: Map<number, Started>;
  readonly underway: Map<number, number>;
  /** How often a recipient's story has ended. */
  readonly ends: Map<number, number>;
  readonly failures: number[];
  settled: number;
  cleaned: number;
};

/** What holds of every history, whatever was asked of the letter and in whatever order. */
export function audit(events: readonly QueueEvent[], recipients: number): void {
  const books: Books = {
    ...{ birth: events[0]?.at ?? 0, recipients, settled: 0, cleaned: 0, failures: [] },
    ...{ open: new Map(), underway: new Map(), ends: new Map() },
  };
  for (const event of events) {
    if (books.cleaned > 0) throw new Error(`${event.type} after the end`);
    enter(event, books);
  }
  balance(books);
}

function enter(event: QueueEvent, books: Books): void {
  switch (event.type) {
    case 'AttemptStarted':
      start(event, books);
      break;
    case 'RecipientDeferred':
    case 'RecipientDelivered':
    case 'RecipientFailed':
      judge(event, books);
      break;
    case 'RecipientCancelled':
      end(event.data.rcpt, books);
      break;
    case 'MessageSettled':
      books.settled += 1;
      expect(event.data.failed).toEqual(books.failures);
      expect(books.ends.size).toBe(books.recipients);
      break;
    case 'MessageCleanedUp':
      books.cleaned += 1;
      expect(event.data.body).not.toBe('');
      break;
    default:
  }
}

function start(event: Started, { open, underway, ends }: Books): void {
  open.set(event.data.attempt, event);
  for (const rcpt of event.data.rcpts) {
    if (underway.has(rcpt)) throw new Error(`recipient ${rcpt} in two attempts`);
    if (ends.has(rcpt)) throw new Error(`attempt after the end of recipient ${rcpt}`);
    underway.set(rcpt, event.data.attempt);
  }
}

/** A verdict counts for the attempt that its recipient is in, and names where that one went. */
function judge(event: Verdict, books: Books): void {
  const { open, underway, failures } = books;
  const { rcpt, attempt, startedAt, address } = event.data;
  expect(underway.get(rcpt)).toBe(attempt);
  underway.delete(rcpt);
  const started = open.get(attempt)!;
  expect(startedAt).toBe(started.at);
  const { rcpts, routes, last } = started.data;
  expect(address).toBe(routes[rcpts.indexOf(rcpt)]!.address);
  if (event.type === 'RecipientDeferred') {
    defer(event, started, books);
    return;
  }
  end(rcpt, books);
  if (event.type === 'RecipientDelivered') return;
  failures.push(rcpt);
  expect(event.data.reply.text.endsWith(tooLongInQueue)).toBe(event.data.expired === true);
  if (event.data.expired === true) expect(last).toBe(true);
}

/** By qmail's schedule; only a doubt is due at once, and no last attempt is deferred. */
function defer(event: Of<'RecipientDeferred'>, { at, data }: Started, { birth }: Books): void {
  const { rcpt, dueAt, doubt } = event.data;
  const { channel } = data.routes[data.rcpts.indexOf(rcpt)]!;
  if (dueAt !== nextAttempt(birth, at, channel)) {
    expect([dueAt, doubt]).toEqual([event.at, true]);
    return;
  }
  expect(data.last).toBe(false);
  expect(dueAt).toBeGreaterThan(at);
}

function end(rcpt: number, { ends }: Books): void {
  ends.set(rcpt, (ends.get(rcpt) ?? 0) + 1);
}

/** Everybody ends once; who fails is settled, once; a letter that is done, and only that, is cleaned up. */
function balance({ recipients, ends, failures, settled, cleaned }: Books): void {
  expect([...ends.values()].filter((times) => times !== 1)).toEqual([]);
  const over = ends.size === recipients;
  expect(settled).toBe(over && failures.length > 0 ? 1 : 0);
  if (over && failures.length === 0) expect(cleaned).toBe(1);
  if (!over) expect(cleaned).toBe(0);
}
