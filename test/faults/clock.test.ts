/** A machine whose clock is set: a day ahead, a day back. The schedule is one of dates, so it shifts; nothing breaks. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { from } from 'rxjs';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import { ManualClock } from '../../src/platform/clock.ts';
import type { Channel, Order } from '../../src/queue/ports.ts';
import type { QueueEvent } from '../../src/queue/events.ts';
import { memorySpool } from '../../src/spool/memory/memory-spool.ts';
import { audit } from '../support/audit.ts';
import { turnOfTheLoop } from '../support/faulty-log.ts';
import { everything, openPostOffice, settle, type PostOffice } from '../support/post-office.ts';
import { birth, hourMs } from '../support/queue-mail.ts';
import { idOf } from '../support/random-letters.ts';
import { storiesOf } from '../support/stories.ts';

const day = 24 * hourMs;
const minute = 60_000;
const letters = 20;
const slots = 3;

let clock: ManualClock;
let log: MemoryLog;
let office: PostOffice;
/** Attempts at once, now and at most; moments of attempts. */
let running: number;
let most: number;
let tried: number[];
let answer: 'deferred' | 'delivered';

const channel: Channel = {
  attempt: ({ recipients }: Order) => {
    tried.push(clock.steady());
    running += 1;
    most = Math.max(most, running);
    const outcomes = recipients.map(({ rcpt }) => ({
      ...{ rcpt, kind: answer, reply: { text: 'x\n' } },
    }));
    return from(turnOfTheLoop().then(() => ((running -= 1), { outcomes })));
  },
};

beforeEach(async () => {
  clock = new ManualClock(birth);
  const bodies = new Map<string, Uint8Array>();
  log = new MemoryLog(bodies);
  tried = [];
  running = most = 0;
  answer = 'deferred';
  office = await openPostOffice({
    ...{ log, spool: memorySpool(bodies), clock, channel },
    slots: () => ({ local: 2, remote: slots }),
  });
});

const setBy = (ms: number): void => clock.set(clock.now() + ms);

const postAll = async () => {
  for (let n = 0; n < letters; n += 1)
    await office.post(idOf(n), 'ann@far.test', [`u${n}@h${n}.test`]);
  await settle(150);
};
/** So long by an even clock; all that falls due is done before time goes on. */
async function wait(ms: number): Promise<void> {
  const until = clock.now() + ms;
  await settle(150);
  for (let next = clock.next(); next !== undefined && next <= until; next = clock.next()) {
    clock.advanceTo(next);
    await settle(150);
  }
  clock.advanceTo(until);
}

async function stories(): Promise<readonly (readonly QueueEvent[])[]> {
  const all = [...storiesOf(await everything(log)).values()];
  for (const story of all) audit(story, 1);
  return all;
}

describe('a clock that is set a day ahead', () => {
  it('brings every letter due once, and fails none', async () => {
    await postAll();
    setBy(day);
    await wait(2 * hourMs);
    // Once for the date, which then counts from there: two hours later nobody is due again.
    expect([tried.length, most]).toEqual([2 * letters, slots]);
    for (const story of await stories()) {
      expect(story.map(({ type }) => type)).not.toContain('RecipientFailed');
    }
  });

  it('costs a letter a day of its week, no more, and it has its last try first', async () => {
    await postAll();
    await wait(6.5 * day);
    setBy(day);
    answer = 'delivered';
    await wait(day);
    for (const story of await stories()) {
      const [last] = story.filter(({ type }) => type === 'AttemptStarted').slice(-1);
      expect(last?.data).toMatchObject({ last: true });
      expect(story.slice(-2).map(({ type }) => type)).toEqual([
        'RecipientDelivered',
        'MessageCleanedUp',
      ]);
    }
  });
});

describe('a clock that is set a day back', () => {
  it('makes letters wait for that day, and forgets none', async () => {
    await postAll();
    setBy(-day);
    await wait(day - minute);
    expect(tried).toHaveLength(letters);
    answer = 'delivered';
    await wait(hourMs);
    expect(tried).toHaveLength(2 * letters);
    for (const story of await stories()) expect(story.at(-1)?.type).toBe('MessageCleanedUp');
  });

  it('does not keep an operator from trying now, nor new mail from going', async () => {
    await postAll();
    setBy(-day);
    answer = 'delivered';
    for (let n = 0; n < letters; n += 1)
      await office.operator.act({ act: 'retry', message: idOf(n), by: 'op', why: 'the clock' });
    await office.post(idOf(letters), 'ann@far.test', ['new@far.test']);
    await wait(1_000);
    expect(tried).toHaveLength(2 * letters + 1);
    for (const story of await stories()) expect(story.at(-1)?.type).toBe('MessageCleanedUp');
  });
});

describe('a clock that goes to and fro', () => {
  it('never tries a letter more often than its dates say, nor two attempts at once', async () => {
    await postAll();
    for (let times = 0; times < 20; times += 1) {
      setBy(times % 2 === 0 ? day : -day);
      await wait(10 * minute);
    }
    // What was put off on the later date is due on the later date.
    expect(tried.length).toBeLessThanOrEqual(3 * letters);
    await stories();
  });
});
