/** The rows of the failure table that one node has: what each costs. Those of the log are in `log-failures.test.ts`. */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { VerdictKind } from '../../src/mail/verdict.ts';
import type { Fault } from '../support/faulty-log.ts';
import { hourMs } from '../support/queue-mail.ts';
import { settleWithPauses } from '../support/post-office.ts';
import {
  adopted,
  clean,
  close,
  cluster,
  far,
  inDoubt,
  makersOf,
  open,
  story,
  taken,
  takeoverMs,
  takes,
} from '../support/two-nodes.ts';

afterEach(close);

describe('when a node', () => {
  it('dies before the letter is in the log, the client was told nothing and sends it again', async () => {
    let fault: Fault = 'none';
    const [one, two] = await open({ fault: () => fault });
    fault = 'refused';
    expect(await cluster.post(one, far)).toBeUndefined();
    fault = 'none';
    cluster.crash(one);
    const again = await cluster.post(two, far);
    await cluster.pass(takeoverMs);
    expect([taken(again), cluster.promised.length]).toEqual([1, 1]);
  });

  it('dies after its 250, another takes its lease, adopts the letter and delivers it', async () => {
    const [one, two] = await open({ hangs: () => true });
    // Its slots are what it has no more: nothing is tried before it dies.
    one.office.scheduler.stop();
    const id = await cluster.post(one, far);
    cluster.crash(one);
    await cluster.pass(20_000);
    expect(await takes()).toEqual([]);
    await cluster.pass(takeoverMs - 20_000);
    expect(await story(id)).toEqual(adopted);
    cluster.answer();
    await cluster.pass(5_000);
    expect([taken(id), makersOf(id)]).toEqual([1, [two.self]]);
    expect((await story(id)).at(-1)).toBe('MessageCleanedUp');
  });

  it.each(['retry', 'hold'] as const)(
    'dies between the far side’s yes and its own record, the attempt is in doubt when its time is over (%s)',
    async (policy) => {
      let hangs = true;
      const [one] = await open({ policy, hangs: () => hangs });
      const id = await cluster.post(one, far);
      await cluster.pass(5_000);
      expect(taken(id)).toBe(1);
      cluster.crash(one);
      hangs = false;
      await cluster.pass(takeoverMs);
      // Nobody knows whether that session has ended.
      expect(await story(id)).toEqual(inDoubt.slice(0, 4));
      await cluster.skip(hourMs);
      expect((await story(id)).slice(0, 5)).toEqual(inDoubt);
      const [, after] = [await story(id), (await story(id)).slice(5)];
      if (policy === 'hold') expect([after, taken(id)]).toEqual([['MessageHeld'], 1]);
      else {
        expect(after).toEqual(['AttemptStarted', 'RecipientDelivered', 'MessageCleanedUp']);
        expect(taken(id)).toBe(2);
      }
    },
  );

  it('is cut off from the log, it starts nothing more and says 451; its late verdict is welcome', async () => {
    let hangs = true;
    const [one, two] = await open({ hangs: () => hangs });
    const id = await cluster.post(one, far);
    await cluster.pass(5_000);
    one.fate.cut = true;
    hangs = false;
    await cluster.pass(22_500);
    expect([one.office.node!.mayStart(), (await takes()).length]).toEqual([false, 0]);
    expect(await cluster.post(one, far)).toBeUndefined();
    cluster.answer();
    await cluster.pass(takeoverMs);
    expect(await story(id)).toEqual([...clean.slice(0, 3), 'MessageAdopted']);
    one.fate.cut = false;
    await cluster.pass(10_000);
    await settleWithPauses(3);
    expect(await story(id)).toEqual([
      ...clean.slice(0, 3),
      ...['MessageAdopted', 'RecipientDelivered', 'MessageCleanedUp'],
    ]);
    expect([taken(id), one.office.node!.lease.standing]).toEqual([1, 'lost']);
    expect(two.office.node!.lease.standing).toBe('sound');
  });

  it('is cut off until its attempt’s time is over, its verdict comes too late: tried again, and said to be in doubt', async () => {
    let hangs = true;
    const [one, two] = await open({ hangs: () => hangs });
    const id = await cluster.post(one, far);
    await cluster.pass(5_000);
    one.fate.cut = true;
    hangs = false;
    await cluster.pass(takeoverMs);
    await cluster.skip(hourMs);
    expect([taken(id), makersOf(id)]).toEqual([2, [one.self, two.self]]);
    const before = await story(id);
    expect(before.slice(0, 5)).toEqual(inDoubt);
    cluster.answer();
    one.fate.cut = false;
    await cluster.pass(10_000);
    await settleWithPauses(3);
    expect(await story(id)).toEqual(before);
    expect(one.office.scheduler.active).toEqual({ local: 0, remote: 0 });
  });

  it('sleeps in the middle of a session that ends well, its word is taken when it wakes', async () => {
    const [one] = await open({ hangs: () => true });
    const id = await cluster.post(one, far);
    await cluster.pass(5_000);
    one.fate.pause();
    await cluster.pass(takeoverMs);
    expect(await story(id)).toEqual([...clean.slice(0, 3), 'MessageAdopted']);
    cluster.answer();
    one.fate.resume();
    await cluster.pass(10_000);
    await settleWithPauses(3);
    expect((await story(id)).slice(4)).toEqual(['RecipientDelivered', 'MessageCleanedUp']);
    expect(taken(id)).toBe(1);
  });

  it('sleeps long and wakes with what it knew, its next word conflicts and it stops', async () => {
    const verdicts: VerdictKind[] = ['deferred'];
    const [one, two] = await open({ verdict: () => verdicts.shift() ?? 'delivered' });
    const id = await cluster.post(one, far);
    await cluster.pass(5_000);
    one.fate.pause();
    await cluster.pass(takeoverMs);
    expect((await story(id)).at(-1)).toBe('MessageAdopted');
    one.fate.resume();
    // The retry falls due at both in the same moment.
    await cluster.skip(hourMs);
    await cluster.pass(10_000);
    expect([taken(id), makersOf(id)]).toEqual([1, [one.self, two.self]]);
    expect(one.office.node!.lease.standing).toBe('lost');
  });

  it('takes a lease and dies while it adopts, its own lease is taken and the letters go on', async () => {
    const [one, two] = await open();
    const three = await cluster.start('three');
    await cluster.pass(10_000);
    for (const { office } of [one, two, three]) office.scheduler.stop();
    const ids = [await cluster.post(one, far), await cluster.post(two, far)];
    cluster.crash(one);
    for (let waited = 0; (await takes()).length === 0 && waited < 100; waited += 1) {
      await cluster.pass(2_500);
    }
    const [{ data }] = (await takes()) as unknown as [{ data: { by: string } }];
    const taker = [two, three].find(({ self }) => self === data.by)!;
    cluster.crash(taker);
    await cluster.pass(takeoverMs * 2);
    const last = taker === two ? three : two;
    last.office.scheduler.start();
    await cluster.pass(5_000);
    const [first, second] = ids;
    expect(await story(first)).toEqual([
      ...adopted.slice(0, 3),
      ...adopted.slice(2),
      ...clean.slice(3),
      'MessageCleanedUp',
    ]);
    expect([taken(first), taken(second)]).toEqual([1, 1]);
    expect(await takes()).toHaveLength(2);
  });

  it('hears nothing though it can write, it suspects nobody, and is taken by nobody', async () => {
    const [one, two] = await open();
    one.fate.deaf = true;
    await cluster.pass(3 * takeoverMs);
    expect(await takes()).toEqual([]);
    // Its beats do get through; what it does is still its own.
    expect([one, two].map(({ office }) => office.node!.lease.standing)).toEqual(['sound', 'sound']);
    one.fate.deaf = false;
    await cluster.pass(30_000);
    const id = await cluster.post(one, far);
    await cluster.pass(5_000);
    expect(makersOf(id)).toEqual([one.self]);
  });

  it('is gone and another comes with its data under another name, the old lease is taken all the same', async () => {
    const [one] = await open();
    one.office.scheduler.stop();
    const id = await cluster.post(one, far);
    cluster.crash(one);
    const copy = await cluster.start('one-again');
    await cluster.pass(takeoverMs);
    expect([taken(id), (await takes()).length]).toEqual([1, 1]);
    expect(copy.office.node!.lease.standing).toBe('sound');
  });

  it('is told to stop, it drains, closes, and its letters go on within two beats', async () => {
    const [one, two] = await open({
      verdict: ({ attempt }) => (attempt === 1 ? 'deferred' : 'delivered'),
    });
    const id = await cluster.post(one, far);
    await cluster.pass(5_000);
    await one.office.node!.lease.drain();
    expect(one.office.node!.mayStart()).toBe(false);
    await one.office.node!.lease.close();
    cluster.crash(one);
    await cluster.pass(10_000);
    expect((await takes()).map(({ data }) => data)).toEqual([{ by: two.self, why: 'closed' }]);
    await cluster.skip(hourMs);
    expect([taken(id), makersOf(id).at(-1)]).toEqual([1, two.self]);
  });
});
