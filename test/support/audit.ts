/** The promises that every letter's story must keep. */
import { expect } from '@jest/globals';
import type { QueueEvent } from '../../src/queue/events.ts';
import { nextAttempt, tooLongInQueue } from '../../src/queue/schedule.ts';

/** What holds of every history, whatever was asked of the letter and in whatever order. */
export function audit(events: readonly QueueEvent[], recipients: number): void {
  const ends = new Map<number, number>();
  const failures: number[] = [];
  const open = new Map<number, Extract<QueueEvent, { type: 'AttemptStarted' }>>();
  const underway = new Map<number, number>();
  let settledTimes = 0;
  let cleaned = 0;
  const birth = events[0]?.at ?? 0;
  for (const event of events) {
    if (cleaned > 0) throw new Error(`${event.type} after the end`);
    switch (event.type) {
      case 'AttemptStarted':
        open.set(event.data.attempt, event);
        for (const rcpt of event.data.rcpts) {
          if (underway.has(rcpt)) throw new Error(`recipient ${rcpt} in two attempts`);
          if (ends.has(rcpt)) throw new Error(`attempt after the end of recipient ${rcpt}`);
          underway.set(rcpt, event.data.attempt);
        }
        break;
      case 'RecipientDeferred':
      case 'RecipientDelivered':
      case 'RecipientFailed': {
        const { rcpt, attempt, startedAt } = event.data;
        expect(underway.get(rcpt)).toBe(attempt);
        underway.delete(rcpt);
        const { at, data } = open.get(attempt)!;
        expect(startedAt).toBe(at);
        const { channel, address } = data.routes[data.rcpts.indexOf(rcpt)]!;
        expect(event.data.address).toBe(address);
        if (event.type === 'RecipientDeferred') {
          const scheduled = nextAttempt(birth, at, channel);
          if (event.data.dueAt !== scheduled) {
            expect([event.data.dueAt, event.data.doubt]).toEqual([event.at, true]);
          } else {
            expect(data.last).toBe(false);
            expect(event.data.dueAt).toBeGreaterThan(at);
          }
          break;
        }
        ends.set(rcpt, (ends.get(rcpt) ?? 0) + 1);
        if (event.type === 'RecipientFailed') {
          failures.push(rcpt);
          expect(event.data.reply.text.endsWith(tooLongInQueue)).toBe(event.data.expired === true);
          if (event.data.expired === true) expect(data.last).toBe(true);
        }
        break;
      }
      case 'RecipientCancelled':
        ends.set(event.data.rcpt, (ends.get(event.data.rcpt) ?? 0) + 1);
        break;
      case 'MessageSettled':
        settledTimes += 1;
        expect(event.data.failed).toEqual(failures);
        expect(ends.size).toBe(recipients);
        break;
      case 'MessageCleanedUp':
        cleaned += 1;
        expect(event.data.body).not.toBe('');
        break;
      default:
    }
  }
  expect([...ends.values()].filter((times) => times !== 1)).toEqual([]);
  const over = ends.size === recipients;
  expect(settledTimes).toBe(over && failures.length > 0 ? 1 : 0);
  if (over && failures.length === 0) expect(cleaned).toBe(1);
  if (!over) expect(cleaned).toBe(0);
}
