/** The rows of the failure table that the log has, or all nodes at once. */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { MessageId } from '../../src/mail/envelope.ts';
import { isTrouble } from '../../src/mail/trouble.ts';
import type { VerdictKind } from '../../src/mail/verdict.ts';
import { takeLease } from '../../src/nodes/pipeline.ts';
import type { Fault } from '../support/faulty-log.ts';
import { hourMs } from '../support/queue-mail.ts';
import { settleWithPauses } from '../support/post-office.ts';
import {
  begin,
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

describe('when the log knows fences', () => {
  it('a node that does not know yet that its lease is taken can neither accept nor begin', async () => {
    const verdicts: VerdictKind[] = ['deferred'];
    const [one, two] = await open({
      fences: true,
      verdict: () => verdicts.shift() ?? 'delivered',
    });
    const id = await cluster.post(one, far);
    await cluster.pass(5_000);
    // As after a long sleep, and before its next beat: it believes that all is well.
    const seen = two.office.node!.ledger.leases.get(one.self)!;
    two.fate.pause();
    await takeLease(
      { log: cluster.log, self: two.self, clock: two.steady },
      { lease: seen, why: 'silent' },
    );
    expect(one.office.node!.mayStart()).toBe(true);
    const head = await cluster.inner.head();
    expect(await cluster.post(one, far)).toBeUndefined();
    one.wall.advance(hourMs);
    await settleWithPauses(3);
    expect(one.office.troubles.filter((cause) => isTrouble(cause, 'fenced'))).not.toEqual([]);
    const since = await cluster.inner.readAll({ after: head, limit: 100 });
    expect(
      since.filter(({ type }) => type === 'MessageAccepted' || type === 'AttemptStarted'),
    ).toEqual([]);
    two.fate.resume();
    await cluster.pass(5_000);
    await cluster.skip(hourMs);
    expect([taken(id), makersOf(id).at(-1)]).toEqual([1, two.self]);
    expect(await cluster.inner.readStream(`fence-${one.self}`)).toMatchObject([
      { type: 'FenceRaised', data: { by: two.self } },
    ]);
  });
});

describe('when the log', () => {
  it('loses its majority, nobody starts anything, and afterwards nobody is taken', async () => {
    let fault: Fault = 'none';
    let hangs = true;
    const members = await open({ fault: () => fault, hangs: () => hangs });
    // What runs finishes; its verdict waits for the log.
    const under = await cluster.post(members[0], far);
    await cluster.pass(5_000);
    fault = 'refused';
    await cluster.pass(takeoverMs);
    hangs = false;
    cluster.answer();
    await cluster.pass(9 * takeoverMs);
    expect(members.map(({ office }) => office.node!.mayStart())).toEqual([false, false]);
    expect((await story(under)).at(-1)).toBe('AttemptStarted');
    fault = 'none';
    await cluster.pass(takeoverMs);
    await settleWithPauses(3);
    expect(await takes()).toEqual([]);
    expect([taken(under), (await story(under)).at(-1)]).toEqual([1, 'MessageCleanedUp']);
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
    begin();
    const one = await cluster.start('one', { offsetMs: -5 * hourMs });
    await cluster.start('two', { offsetMs: 7 * hourMs, rate: 1.1 });
    await cluster.pass(2 * takeoverMs);
    const id = await cluster.post(one, far);
    await cluster.pass(5_000);
    expect([await takes(), taken(id)]).toEqual([[], 1]);
  });
});
