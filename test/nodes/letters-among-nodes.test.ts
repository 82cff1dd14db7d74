/** Bounces, orders and limits where several nodes share a log. */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { VerdictKind } from '../../src/mail/verdict.ts';
import { hourMs } from '../support/queue-mail.ts';
import { everything } from '../support/post-office.ts';
import {
  close,
  cluster,
  far,
  makersOf,
  open,
  story,
  taken,
  takeoverMs,
} from '../support/two-nodes.ts';

afterEach(close);

describe('a limit for all nodes together', () => {
  it('is divided among those that work, and again when one is gone', async () => {
    const [one, two] = await open({ hangs: () => true });
    for (const member of [one, two]) {
      for (let letter = 0; letter < 12; letter += 1)
        await cluster.post(member, [`a@far${letter}.test`]);
    }
    await cluster.pass(5_000);
    const running = () => [one, two].map(({ office }) => office.scheduler.active.remote);
    expect(running()).toEqual([5, 5]);
    cluster.crash(two);
    await cluster.pass(takeoverMs);
    expect(running()[0]).toBe(10);
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
  it.each(['one', 'two'])(
    'has its bounce made by its owner %s, and by nobody else',
    async (name) => {
      const members = await open({
        verdict: ({ recipients: [first] }) => (first!.address === far[0] ? 'failed' : 'delivered'),
      });
      const owner = members.find((member) => member.name === name)!;
      const id = await cluster.post(owner, far);
      await cluster.pass(5_000);
      expect((await story(id)).at(-1)).toBe('MessageCleanedUp');
      const makers = members
        .filter(({ asked }) =>
          asked.some(({ events }) => events.some(({ type }) => type === 'BounceQueued')),
        )
        .map((member) => member.name);
      expect(makers).toEqual([name]);
      const others = members.find((member) => member !== owner)!;
      expect(others.asked.filter(({ stream }) => stream.startsWith('message-'))).toEqual([]);
    },
  );

  it('is not bounced by a node that begins and finds it owing, while its owner only stands still', async () => {
    const [one] = await open({
      verdict: ({ recipients: [first] }) => (first!.address === far[0] ? 'failed' : 'delivered'),
    });
    const id = (await cluster.post(one, far))!;
    await until(async () => (await story(id)).includes('MessageSettled'));
    one.fate.pause();
    const three = await cluster.start('three');
    await cluster.pass(10_000);
    expect((await story(id)).at(-1)).toBe('MessageSettled');
    expect(three.asked.filter(({ stream }) => stream.startsWith('message-'))).toEqual([]);
    one.fate.resume();
    await cluster.pass(5_000);
    expect((await story(id)).at(-1)).toBe('MessageCleanedUp');
  });

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
