/** Every row of the failure table: what a failure costs when several engines share one log. */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { MessageId } from '../../src/mail/envelope.ts';
import type { VerdictKind } from '../../src/mail/verdict.ts';
import { Cluster, type ClusterOptions, type Member } from '../support/cluster.ts';
import type { Fault } from '../support/faulty-log.ts';
import { everything, typesOf } from '../support/post-office.ts';
import { hourMs } from '../support/queue-mail.ts';
import { seeded } from '../support/seeded.ts';

let cluster: Cluster;
afterEach(() => {
  cluster.end();
  expect(cluster.wrong).toEqual([]);
});

async function open(options: Omit<ClusterOptions, 'chance'> = {}): Promise<[Member, Member]> {
  cluster = new Cluster({ chance: seeded(1), ...options });
  const members: [Member, Member] = [await cluster.start('one'), await cluster.start('two')];
  await cluster.pass(10_000);
  return members;
}

const far = ['a@far.test'];
const taken = (id: MessageId | undefined) => cluster.taken.get(`${id}/0`) ?? 0;
const makersOf = (id: MessageId | undefined) =>
  cluster.sent.filter(({ message }) => message === id).map(({ by }) => by);
const story = (id: MessageId | undefined) => typesOf(cluster.inner, id!);
const takes = async () =>
  (await everything(cluster.inner)).filter(({ type }) => type === 'LeaseTaken');

/** A lease’s time, a jitter of two beats, and the beat that notices. */
const takeoverMs = 50_000;

const clean = ['MessageAccepted', 'MessageQueued', 'AttemptStarted', 'RecipientDelivered'];
const adopted = ['MessageAccepted', 'MessageQueued', 'MessageAdopted', 'AttemptStarted'];
const inDoubt = [...clean.slice(0, 3), 'MessageAdopted', 'RecipientDeferred'];

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
    expect(await story(id)).toEqual([
      ...clean.slice(0, 3),
      ...['MessageAdopted', 'RecipientDelivered', 'MessageCleanedUp'],
    ]);
    expect([taken(id), one.office.node!.lease.standing]).toEqual([1, 'lost']);
    expect(two.office.node!.lease.standing).toBe('sound');
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

describe('when the log', () => {
  it('loses its majority, nobody starts anything, and afterwards nobody is taken', async () => {
    let fault: Fault = 'none';
    const members = await open({ fault: () => fault });
    fault = 'refused';
    await cluster.pass(10 * takeoverMs);
    expect(members.map(({ office }) => office.node!.mayStart())).toEqual([false, false]);
    fault = 'none';
    await cluster.pass(takeoverMs);
    expect(await takes()).toEqual([]);
    const id = await cluster.post(members[0], far);
    await cluster.pass(5_000);
    expect(taken(id)).toBe(1);
  });

  it.each(['lost', 'refused'] as const)(
    'changes its leader, what is not known to be written is asked again in the same words (%s)',
    async (kind) => {
      let left = 0;
      const fault = () => (left-- > 0 ? kind : 'none');
      const [one] = await open({ fault });
      const ids: (MessageId | undefined)[] = [];
      for (let letter = 0; letter < 5; letter += 1) {
        left = 1;
        ids.push(await cluster.post(one, far));
        left = 1;
        await cluster.pass(5_000);
      }
      expect(ids.map(taken)).toEqual([1, 1, 1, 1, 1]);
      expect(await takes()).toEqual([]);
    },
  );

  it('hears two takers at once, one of them takes', async () => {
    const [one, two] = await open();
    const three = await cluster.start('three');
    await cluster.pass(10_000);
    one.office.scheduler.stop();
    const id = await cluster.post(one, far);
    cluster.crash(one);
    // Both wake to find it silent for hours.
    for (const { fate } of [two, three]) fate.pause();
    for (const { fate } of [two, three]) fate.resume();
    await cluster.pass(takeoverMs);
    expect([taken(id), (await takes()).length]).toEqual([1, 1]);
  });
});

describe('when all nodes', () => {
  it('restart after a power cut, each has its own letters back at once', async () => {
    const both = await open({ hangs: () => false });
    for (const { office } of both) office.scheduler.stop();
    const ids = [await cluster.post(both[0], far), await cluster.post(both[1], far)];
    cluster.end();
    const again = [await cluster.start('one'), await cluster.start('two')];
    await cluster.pass(10_000);
    expect(ids.map(taken)).toEqual([1, 1]);
    expect(ids.map((id) => makersOf(id))).toEqual(again.map(({ self }) => [self]));
    const why = (await takes()).map(({ data }) => (data as { why: string }).why);
    expect(why).toEqual(['restarted', 'restarted']);
  });

  it('restart after a power cut, what they had begun is in doubt at once: they are surely dead', async () => {
    let hangs = true;
    const [one] = await open({ hangs: () => hangs });
    const id = await cluster.post(one, far);
    await cluster.pass(5_000);
    cluster.end();
    hangs = false;
    await cluster.start('one');
    await cluster.pass(10_000);
    expect((await story(id)).slice(0, 5)).toEqual(inDoubt);
    expect(taken(id)).toBe(2);
  });

  it('have clocks that are hours apart, letters are tried at other times and no lease is taken', async () => {
    cluster = new Cluster({ chance: seeded(1) });
    const one = await cluster.start('one', { offsetMs: -5 * hourMs });
    await cluster.start('two', { offsetMs: 7 * hourMs, rate: 1.1 });
    await cluster.pass(2 * takeoverMs);
    const id = await cluster.post(one, far);
    await cluster.pass(5_000);
    expect([await takes(), taken(id)]).toEqual([[], 1]);
  });
});

describe('an operator', () => {
  it('may give orders at any node: the owner hears of them, and acts', async () => {
    const verdicts: VerdictKind[] = ['deferred'];
    const [one, two] = await open({ verdict: () => verdicts.shift() ?? 'delivered' });
    const id = (await cluster.post(one, far))!;
    await cluster.pass(5_000);
    const order = { message: id, by: 'op', why: 'a whim' };
    expect(await two.office.operator.act({ ...order, act: 'hold' })).toBe(1);
    await cluster.pass(2_500);
    expect(await one.office.operator.act({ ...order, act: 'hold' })).toBe(0);
    await cluster.skip(hourMs);
    expect(makersOf(id)).toHaveLength(1);
    expect(await two.office.operator.act({ ...order, act: 'retry' })).toBe(1);
    expect(await two.office.operator.act({ ...order, act: 'release' })).toBe(1);
    await cluster.pass(5_000);
    expect([taken(id), makersOf(id)]).toEqual([1, [one.self, one.self]]);
  });
});

describe('a letter that fails', () => {
  it('has its bounce from its owner only, and from the next owner when that one dies before', async () => {
    const [one, two] = await open({
      verdict: ({ recipients: [first] }) => (first!.address === far[0] ? 'failed' : 'delivered'),
    });
    const first = await cluster.post(one, far);
    await cluster.pass(5_000);
    expect((await story(first)).slice(-3)).toEqual([
      'MessageSettled',
      'BounceQueued',
      'MessageCleanedUp',
    ]);
    // A letter that settles in the last moment of its node.
    const second = (await cluster.post(one, far))!;
    await until(async () => (await story(second)).includes('MessageSettled'));
    cluster.crash(one);
    await cluster.pass(takeoverMs);
    expect((await story(second)).at(-1)).toBe('MessageCleanedUp');
    const bounces = (await everything(cluster.inner)).filter(({ type }) => type === 'BounceQueued');
    expect(bounces).toHaveLength(2);
    expect(two.office.node!.lease.standing).toBe('sound');
  });
});

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let turns = 0; turns < 1_000 && !(await isSo()); turns += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
