/** What a former owner had begun: waited for, and in doubt when it cannot be under way any more. */
import { describe, expect, it } from '@jest/globals';
import { Subject } from 'rxjs';
import { empty, fold } from '../../projections/agenda.ts';
import { parseControls } from '../../src/control/controls.ts';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import { ManualClock } from '../../src/platform/clock.ts';
import { adopter, doubts } from '../../src/queue/adoption.ts';
import { openLetters } from '../../src/queue/letters.ts';
import { openRecorder, type RecorderParts } from '../../src/queue/recorder.ts';
import { toRoutingRules } from '../../src/queue/routing.ts';
import { FaultyLog } from '../support/faulty-log.ts';
import { everything, settle, typesOf } from '../support/post-office.ts';
import { accept, age, hourMs, start, verdict, week } from '../support/queue-mail.ts';
import { idOf } from '../support/random-letters.ts';

const id = idOf(1);
const { controls } = parseControls({ me: 'here.test\n' });
const ann = 'ann@a.test';
const bob = 'bob@b.test';

/** A letter of `one`, under attempt there, adopted by `two`, which is us. */
async function adopted({ policy = 'retry' }: { readonly policy?: 'retry' | 'hold' } = {}) {
  const log = new FaultyLog(new MemoryLog());
  const there = openLetters({ log });
  const letters = openLetters({ log });
  await there.handle(id, { ...accept(ann, bob), owner: 'one' });
  await there.handle(id, { ...start([ann]), by: 'one' });
  const clock = new ManualClock(age(50));
  await adopter({ letters, clock, self: 'two' })(id, 'one');
  const agenda = (await everything(log)).reduce(fold, empty());
  const over = new Set<string>();
  const adopted$ = new Subject<string>();
  const changed$ = new Subject<void>();
  const troubles: unknown[] = [];
  const doubting = doubts(adopted$, {
    ...{ agenda, letters, clock, self: 'two', policy, changed$ },
    isOver: (maker) => over.has(maker),
    onTrouble: (_, cause) => troubles.push(cause),
  }).subscribe();
  adopted$.next(id);
  await settle();
  const story = async () => (await typesOf(log, id)).slice(4);
  return { log, there, letters, clock, over, changed$, troubles, doubting, story };
}

describe('an attempt of a node whose letters are ours now', () => {
  it('is left to its end while its maker may live, and in doubt at the end that it named', async () => {
    const { clock, story } = await adopted();
    clock.advanceTo(age(0) + hourMs - 1);
    await settle();
    expect(await story()).toEqual([]);
    clock.advance(1);
    await settle();
    expect(await story()).toEqual(['RecipientDeferred']);
    expect(clock.next()).toBeUndefined();
  });

  it('is in doubt at once when it is heard that its maker is no more', async () => {
    const { over, changed$, story } = await adopted();
    changed$.next();
    await settle();
    expect(await story()).toEqual([]);
    over.add('one');
    await settle();
    expect(await story()).toEqual([]);
    changed$.next();
    await settle();
    expect(await story()).toEqual(['RecipientDeferred']);
  });

  it('is held, where the operator wants to look first', async () => {
    const { over, changed$, story } = await adopted({ policy: 'hold' });
    over.add('one');
    changed$.next();
    await settle();
    expect(await story()).toEqual(['RecipientDeferred', 'MessageHeld']);
  });

  it('is settled by its maker’s late word, and nothing is waited for any more', async () => {
    const { there, letters, over, changed$, clock, story } = await adopted();
    await there.handle(id, verdict('delivered', 0));
    letters.heard(id, 5);
    over.add('one');
    changed$.next();
    await settle();
    expect(await story()).toEqual(['RecipientDelivered']);
    expect(clock.next()).toBeUndefined();
  });

  it('is not ours to judge when the letter has gone on to a third', async () => {
    const { log, letters, over, changed$, clock, story } = await adopted();
    await adopter({ letters: openLetters({ log }), clock, self: 'three' })(id, 'two');
    letters.heard(id, 4);
    changed$.next();
    await settle();
    expect(clock.next()).toBeUndefined();
    over.add('one').add('two');
    changed$.next();
    await settle();
    clock.advance(2 * hourMs);
    await settle();
    expect(await story()).toEqual(['MessageAdopted']);
  });

  it('goes to a third in the very moment of our doubt, and we leave it alone', async () => {
    const { log, over, changed$, clock, story } = await adopted();
    over.add('one');
    const letters = openLetters({ log: log.inner });
    let done: Promise<unknown> | undefined;
    log.fault = (_, events) => {
      if (events[0]?.type !== 'RecipientDeferred' || done !== undefined) return 'none';
      done = adopter({ letters, clock, self: 'three' })(id, 'two');
      return 'conflict';
    };
    changed$.next();
    await settle();
    await done;
    await settle();
    expect(await story()).toEqual(['MessageAdopted']);
  });

  it('is doubted again after trouble with the log, a few seconds later', async () => {
    const { log, over, changed$, clock, troubles, story } = await adopted();
    over.add('one');
    log.fault = () => 'refused';
    changed$.next();
    await settle();
    expect([troubles.length, await story()]).toEqual([1, []]);
    log.fault = () => 'none';
    clock.advance(5_000);
    await settle();
    expect(await story()).toEqual(['RecipientDeferred']);
  });

  it('is not taken back by us, who heard of its letter before we heard of it', async () => {
    const { letters, clock, story } = await adopted();
    const rules = () => ({ routing: toRoutingRules(controls), digest: '' });
    const limits = () => ({ lifetimeSeconds: week, ceilingMs: hourMs });
    const recorder = openRecorder({
      ...{ letters, clock, rules, limits, self: 'two' },
      ...({} as Pick<RecorderParts, 'bodies' | 'spool' | 'intake'>),
    });
    const job = {
      no: 1,
      message: id,
      rcpts: [0],
      channel: 'remote',
      lane: 'remote a.test',
    } as const;
    const more = { troubled: false, takenAt: clock.now(), rows: [0] };
    expect(await recorder.start({ ...job, ...more })).toBeUndefined();
    await recorder.takeBack({ ...job, ...more });
    expect(await story()).toEqual([]);
  });

  it('is looked for no more once nobody listens', async () => {
    const { over, changed$, clock, doubting, story } = await adopted();
    doubting.unsubscribe();
    over.add('one');
    changed$.next();
    clock.advance(2 * hourMs);
    await settle();
    expect([await story(), clock.next()]).toEqual([[], undefined]);
  });
});

describe('an attempt of our own', () => {
  it('in a letter that we adopted is not doubted', async () => {
    const { log, letters, over, changed$, clock, story } = await adopted();
    await letters.handle(id, { ...start([bob], { rcpts: [1] }), by: 'two' });
    over.add('two');
    changed$.next();
    await settle();
    expect(await story()).toEqual(['AttemptStarted']);
    clock.advance(2 * hourMs);
    await settle();
    const types = await typesOf(log, id);
    expect(types.filter((type) => type === 'RecipientDeferred')).toHaveLength(1);
  });
});
