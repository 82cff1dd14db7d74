import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import { messageStream, type QueueEvent } from '../../src/queue/events.ts';
import { openLetters } from '../../src/queue/letters.ts';
import { evolve, initial } from '../../src/queue/state.ts';
import { FaultyLog, turnOfTheLoop, type Fault } from '../support/faulty-log.ts';
import {
  accept,
  age,
  byHand,
  hand,
  held,
  hold,
  message,
  outcome,
  release,
  released,
  report,
  start,
  verdict,
} from '../support/queue-mail.ts';
import { idOf } from '../support/random-letters.ts';
import { seeded } from '../support/seeded.ts';

const ann = 'ann@a.test';
const bob = 'bob@b.test';
const stream = messageStream(message);
/** A letter that we make ourselves, a bounce or a forward. */
const ourOwn = { ...accept(ann), parent: { message: 'parent', why: 'forward' } } as const;

function desk(options: { keep?: number; keepRecipients?: number; faults?: Fault[] } = {}) {
  const { faults = [], ...limits } = options;
  const log = new FaultyLog(new MemoryLog(), () => faults.shift() ?? 'none');
  const letters = openLetters({ log, ...limits });
  const types = async () => (await log.inner.readStream(stream)).map(({ type }) => type);
  return { log, letters, types, faults };
}

describe('a letter', () => {
  it('is accepted in one append, and its story goes on from there without reading it', async () => {
    const { log, letters, types } = desk();
    const events = await letters.handle(message, accept(ann));
    expect(events.map(({ type }) => type)).toEqual(['MessageAccepted', 'MessageQueued']);
    await letters.handle(message, start([ann]));
    await letters.handle(message, verdict('delivered', 0));
    expect(log.asked.map(({ expected }) => expected)).toEqual([-1, 1, 2]);
    expect(log.loaded).toEqual([]);
    expect(await types()).toEqual([
      ...['MessageAccepted', 'MessageQueued', 'AttemptStarted'],
      ...['RecipientDelivered', 'MessageCleanedUp'],
    ]);
  });

  it('hears commands in the order in which they were given', async () => {
    const { letters, types } = desk({ faults: ['late', 'late', 'late', 'late', 'late'] });
    const all = [accept(ann, bob), hold(), release(), start([ann]), verdict('failed', 0), hold()];
    await Promise.all(all.map((command) => letters.handle(message, command)));
    expect((await types()).slice(2)).toEqual([
      ...['MessageHeld', 'MessageReleased', 'AttemptStarted', 'RecipientFailed', 'MessageHeld'],
    ]);
  });

  it('does not wait for another', async () => {
    let letGo: (fault: Fault) => void = () => undefined;
    const inner = new MemoryLog();
    const log = new FaultyLog(inner);
    const slow = new Promise<Fault>((resolve) => (letGo = resolve));
    const append = log.append.bind(log);
    log.append = async (to, ...rest) => {
      if (to === stream) await slow;
      return append(to, ...rest);
    };
    const letters = openLetters({ log });
    const first = letters.handle(message, accept(ann));
    expect(await letters.handle(idOf(2), accept(bob))).toHaveLength(2);
    expect(await inner.readStream(stream)).toEqual([]);
    letGo('none');
    expect(await first).toHaveLength(2);
  });

  it('is what its events say, and unknown without any', async () => {
    const { letters } = desk();
    await expect(letters.state(message)).rejects.toMatchObject({ code: 'not-found' });
    await letters.handle(message, accept(ann));
    expect(await letters.state(message)).toMatchObject({ unfinished: 1, done: false });
  });

  it('that is not there follows no command', async () => {
    const { letters, log } = desk();
    expect(await letters.handle(message, hold())).toEqual([]);
    expect(await letters.handleWith(message, () => hold())).toEqual([]);
    expect(log.asked).toEqual([]);
    expect(await letters.handle(message, accept(ann))).toHaveLength(2);
  });

  it('shows its present state to whoever makes a command of it, and may be left alone', async () => {
    const { letters, log } = desk();
    await letters.handle(message, accept(ann, bob));
    const seen: number[] = [];
    expect(
      await letters.handleWith(message, ({ unfinished }) => void seen.push(unfinished)),
    ).toEqual([]);
    await letters.handleWith(message, ({ unfinished }) => byHand('Cancel', [unfinished - 1]));
    expect([seen, (await letters.state(message)).unfinished]).toEqual([[2], 1]);
    expect(log.asked).toHaveLength(2);
  });
});

describe('a letter accepted again', () => {
  it.each([
    ['while it is in memory', 2_000],
    ['when it was forgotten', 0],
  ])('%s is not changed', async (_, keep) => {
    const { letters, types } = desk({ keep });
    await letters.handle(message, accept(ann));
    await letters.handle(message, start([ann]));
    expect(await letters.handle(message, { ...accept(ann, bob), at: age(9) })).toEqual([]);
    await letters.handle(message, verdict('delivered', 0));
    expect(await letters.handle(message, { ...accept(ann), at: age(10) })).toEqual([]);
    expect(await types()).toHaveLength(5);
  });

  it('in the very same words, being our own, goes on from where it stands', async () => {
    const { log, letters } = desk();
    await letters.handle(message, ourOwn);
    await letters.handle(message, start([ann]));
    const others = openLetters({ log });
    await others.handle(message, ourOwn);
    expect(await others.handle(message, start([ann]))).toEqual([]);
    expect(await others.handle(message, verdict('delivered', 0))).toHaveLength(2);
  });
});

describe('when somebody else has appended', () => {
  it('the letter is loaded again and decided anew', async () => {
    const { log, letters, types } = desk();
    await letters.handle(message, accept(ann, bob));
    await log.inner.append(stream, 1, [held()]);
    expect(await letters.handle(message, start([ann, bob]))).toEqual([]);
    await letters.handle(message, release());
    expect(await types()).toEqual([
      ...['MessageAccepted', 'MessageQueued', 'MessageHeld', 'MessageReleased'],
    ]);
  });

  it('the command that is made of the state is made anew, too', async () => {
    const { log, letters } = desk();
    await letters.handle(message, accept(ann, bob));
    await log.inner.append(stream, 1, [
      { type: 'RecipientCancelled', v: 1, at: age(1), data: { ...hand, rcpt: 0, address: ann } },
    ]);
    const seen: number[] = [];
    await letters.handleWith(message, ({ unfinished }) => {
      seen.push(unfinished);
      return byHand('Cancel');
    });
    expect(seen).toEqual([2, 1]);
    expect((await letters.state(message)).done).toBe(true);
  });

  it('for ever, it is given up after some tries, and works later', async () => {
    const { log, letters, faults } = desk();
    await letters.handle(message, accept(ann));
    faults.push(...Array.from({ length: 6 }, () => 'conflict' as const));
    await expect(letters.handle(message, hold())).rejects.toMatchObject({
      code: 'revision-conflict',
    });
    expect(log.asked).toHaveLength(7);
    expect(await letters.handle(message, hold())).toHaveLength(1);
  });
});

describe('when the answer of the log is lost', () => {
  it.each(['lost', 'refused'] as const)(
    '(%s) the identical append is asked again',
    async (fault) => {
      const { log, letters, types } = desk({ faults: [fault] });
      expect(await letters.handle(message, accept(ann))).toHaveLength(2);
      expect(log.asked[1]).toEqual(log.asked[0]);
      await letters.handle(message, hold());
      expect(await types()).toEqual(['MessageAccepted', 'MessageQueued', 'MessageHeld']);
      expect(log.loaded).toEqual([]);
    },
  );

  it('twice, whoever asked hears of it, and the letter is read back for the next', async () => {
    const { log, letters, types, faults } = desk();
    await letters.handle(message, accept(ann));
    faults.push('lost', 'refused');
    await expect(letters.handle(message, start([ann]))).rejects.toMatchObject({
      code: 'log-unavailable',
    });
    expect(await letters.handle(message, start([ann]))).toEqual([]);
    expect(log.loaded).toEqual([stream]);
    expect(await letters.handle(message, verdict('delivered', 0))).toHaveLength(2);
    expect(await types()).toHaveLength(5);
  });

  it('of a full log nothing is asked again, and nothing has happened', async () => {
    const { log, letters, faults } = desk();
    await letters.handle(message, accept(ann));
    faults.push('full');
    await expect(letters.handle(message, hold())).rejects.toMatchObject({ code: 'log-full' });
    expect(log.asked).toHaveLength(2);
    expect((await letters.state(message)).held).toBe(false);
  });

  it('the next command on the same letter is not lost with it', async () => {
    const { letters, types } = desk({ faults: ['none', 'refused', 'refused'] });
    await letters.handle(message, accept(ann));
    await turnOfTheLoop();
    const both = [letters.handle(message, hold()), letters.handle(message, byHand('Cancel'))];
    const [first, second] = await Promise.allSettled(both);
    expect([first?.status, second?.status]).toEqual(['rejected', 'fulfilled']);
    expect((await types()).slice(2)).toEqual(['RecipientCancelled', 'MessageCleanedUp']);
  });
});

describe('memory', () => {
  it('holds so many letters, and reads the others back', async () => {
    const { log, letters } = desk({ keep: 10 });
    for (let no = 0; no < 50; no += 1) await letters.handle(idOf(no), accept(ann));
    await turnOfTheLoop();
    for (let no = 0; no < 50; no += 1) await letters.state(idOf(no));
    expect(log.loaded.length).toBeGreaterThanOrEqual(40);
    log.loaded.length = 0;
    // Those that came first have their turn first.
    for (let no = 0; no < 8; no += 1) await letters.state(idOf(no));
    expect(log.loaded).toEqual([]);
  });

  it('leaves no room to a letter that waits for another try', async () => {
    const { log, letters } = desk();
    await letters.handle(message, accept(ann));
    await letters.handle(message, start([ann]));
    await letters.handle(message, verdict('deferred', 0));
    await turnOfTheLoop();
    await letters.state(message);
    expect(log.loaded).toEqual([stream]);
  });

  it('holds fewer letters when they have many recipients, but always the one used last', async () => {
    const { log, letters } = desk({ keepRecipients: 100 });
    const forty = accept(...Array.from({ length: 40 }, () => ann));
    for (let no = 0; no < 5; no += 1) await letters.handle(idOf(no), forty);
    await letters.handle(idOf(5), accept(...Array.from({ length: 200 }, () => ann)));
    await turnOfTheLoop();
    await letters.state(idOf(5));
    expect(log.loaded).toEqual([]);
    await letters.handle(idOf(3), hold());
    await letters.handle(idOf(4), hold());
    await turnOfTheLoop();
    log.loaded.length = 0;
    for (const no of [3, 4]) await letters.state(idOf(no));
    expect(log.loaded).toEqual([]);
    await letters.state(idOf(5));
    expect(log.loaded).toEqual([messageStream(idOf(5))]);
  });

  it.each([0, 1])('takes in a past of ten thousand events and %i', async (more) => {
    const { log, letters } = desk();
    await letters.handle(message, accept(ann));
    const past = Array.from({ length: 9_998 + more }, (_, no) =>
      no === 9_998 ? held() : released(),
    );
    await log.inner.append(stream, 1, past);
    const later = openLetters({ log });
    expect((await later.state(message)).held).toBe(more === 1);
    await later.handle(message, byHand('Cancel'));
    expect((await log.inner.readStream(stream)).at(-1)?.revision).toBe(10_001 + more);
  });

  it('forgets finished letters at once', async () => {
    const { log, letters } = desk();
    await letters.handle(message, accept(ann));
    await letters.handle(message, byHand('Cancel'));
    await turnOfTheLoop();
    expect((await letters.state(message)).done).toBe(true);
    expect(log.loaded).toEqual([stream]);
  });

  it('keeps what is being worked on, however much that is', async () => {
    const { log, letters } = desk({ keep: 1 });
    const ids = Array.from({ length: 40 }, (_, no) => idOf(no));
    await Promise.all(
      ids.flatMap((id) => [
        letters.handle(id, accept(ann)),
        letters.handle(id, start([ann])),
        letters.handle(id, verdict('delivered', 0)),
      ]),
    );
    expect(log.loaded).toEqual([]);
    expect(new Set(log.asked.map(({ stream: asked }) => asked)).size).toBe(40);
    expect(log.asked.flatMap(({ events }) => events)).toHaveLength(200);
  });
});

describe('commands to one letter that wait for an append', () => {
  const many = Array.from({ length: 120 }, (_, no) => `u${no}@h${no}.test`);

  it('go together in the next, each with its own answer', async () => {
    const { log, letters } = desk({ faults: ['none', 'late', 'late', 'late', 'late'] });
    await letters.handle(message, accept(...many));
    await turnOfTheLoop();
    const starts = many.map((to, rcpt) => letters.handle(message, start([to], { rcpts: [rcpt] })));
    const answers = await Promise.all(starts);
    answers.forEach((events, rcpt) => {
      expect(events).toMatchObject([{ type: 'AttemptStarted', data: { rcpts: [rcpt] } }]);
    });
    expect(log.asked.map(({ events }) => events.length)).toEqual([2, 1, 50, 50, 19]);
    const story = (await log.inner.readStream(stream)) as unknown as QueueEvent[];
    expect(await letters.state(message)).toEqual(story.reduce(evolve, initial()));
  });

  it('share its fate, and nothing of them has happened', async () => {
    const { log, letters, types } = desk({ faults: ['none', 'late', 'full'] });
    await letters.handle(message, accept(...many));
    await turnOfTheLoop();
    const commands = [hold(), release(), byHand('Cancel')];
    const told = await Promise.allSettled(commands.map((each) => letters.handle(message, each)));
    expect(told.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect((await types()).slice(2)).toEqual(['MessageHeld']);
    expect((await letters.state(message)).held).toBe(true);
    expect(log.asked).toHaveLength(3);
  });

  it('are not troubled by one that cannot be', async () => {
    const { letters, types } = desk({ faults: ['none', 'late'] });
    await letters.handle(message, accept(...many));
    await turnOfTheLoop();
    const told = await Promise.allSettled([
      letters.handle(message, hold()),
      letters.handle(message, release()),
      letters.handleWith(message, () => {
        throw new Error('a bug');
      }),
      letters.handle(message, hold()),
    ]);
    const bug = { status: 'rejected', reason: new Error('a bug') };
    const fine = { status: 'fulfilled' };
    expect(told).toMatchObject([fine, fine, bug, fine]);
    expect((await types()).slice(2)).toEqual(['MessageHeld', 'MessageReleased', 'MessageHeld']);
  });

  it('are seen by whoever asks for the state after them', async () => {
    const { letters } = desk({ faults: ['none', 'late', 'late'] });
    await letters.handle(message, accept(ann));
    await turnOfTheLoop();
    const asked = [letters.handle(message, release()), letters.handle(message, hold())];
    const state = await letters.state(message);
    expect(state.held).toBe(true);
    await Promise.all(asked);
  });
});

/** Commands at random on a few letters at once, on a log with every fault it can have. */
async function rush(seed: number): Promise<void> {
  const chance = seeded(seed);
  const inner = new MemoryLog();
  const faults = ['late', 'refused', 'lost', 'conflict', 'full'] as const;
  const log = new FaultyLog(inner, () => (chance.happens(0.3) ? chance.one(faults) : 'none'));
  const letters = openLetters({ log, keep: chance.below(4) });
  const promised: { id: string; event: QueueEvent }[] = [];
  const work = Array.from({ length: 80 }, async (_, no) => {
    for (let wait = chance.below(6); wait > 0; wait -= 1) await turnOfTheLoop();
    const id = idOf(chance.below(3));
    const attempt = 1 + chance.below(4);
    const command = chance.one([
      { ...accept(ann, bob), parent: { message: 'parent', why: 'bounce' as const } },
      start([ann, bob], { at: no }),
      report([outcome('deferred', 0), outcome('delivered', 1)], { attempt, at: no }),
      { ...verdict('deferred', 0, { attempt, at: no }) },
      { ...hold(no), why: `${no}` },
      { ...release(no), why: `${no}` },
    ]);
    const events = await letters.handle(id, command).catch(() => []);
    for (const event of events) promised.push({ id, event });
  });
  await Promise.all(work);
  const recorded = await inner.readAll({ limit: 10_000 });
  const isThere = ({ id, event }: (typeof promised)[number]) =>
    recorded.some(
      (other) =>
        other.stream === messageStream(id) &&
        other.type === event.type &&
        JSON.stringify(other.data) === JSON.stringify(event.data),
    );
  expect(promised.filter((each) => !isThere(each))).toEqual([]);
  for (let no = 0; no < 3; no += 1) {
    const events = await inner.readStream(messageStream(idOf(no)));
    const state = events.reduce(
      (so, event) => evolve(so, event as unknown as QueueEvent),
      initial(),
    );
    if (events.length > 0) expect(await letters.state(idOf(no))).toEqual(state);
    expect(events.filter(({ type }) => type === 'MessageAccepted').length).toBeLessThanOrEqual(1);
  }
}

describe('on a log with every fault it can have', () => {
  it('what was promised is there, and what is known is what is there', async () => {
    await fc.assert(fc.asyncProperty(fc.nat(), rush), { numRuns: 100 });
  });
});
