/** Whether a node is surely dead: by an operator’s word, or by where its data directory is in use again. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { declareGone, undecided } from '../../src/nodes/declare.ts';
import {
  clean,
  close,
  cluster,
  far,
  inDoubt,
  open,
  story,
  takeoverMs,
  takes,
} from '../support/two-nodes.ts';

afterEach(close);

describe('when a node', () => {
  it.each(['before', 'after'] as const)(
    'is declared gone %s its lease is its attempt is in doubt at once',
    async (when) => {
      let hangs = true;
      const [one, two] = await open({ hangs: () => hangs });
      const id = await cluster.post(one, far);
      await cluster.pass(5_000);
      cluster.crash(one);
      hangs = false;
      if (when === 'after') await cluster.pass(takeoverMs);
      const { leases } = two.office.node!.ledger;
      const [lease] = undecided(leases, [leases.get(one.self)!]);
      const { incarnation, revision } = lease!;
      const word = { incarnation, revision, by: 'op', why: 'burnt down', at: 0 };
      expect(await declareGone(cluster.log, word)).toBe(true);
      await cluster.pass(10_000);
      expect(await story(id)).toEqual([
        ...inDoubt,
        ...['AttemptStarted', 'RecipientDelivered', 'MessageCleanedUp'],
      ]);
      expect(undecided(leases, [...leases.values()]).map((each) => each.incarnation)).toEqual([
        two.self,
      ]);
    },
  );

  it('comes back as another machine with a copy of its data, what it had begun is in doubt when it was silent', async () => {
    let hangs = true;
    const [one] = await open({ hangs: () => hangs });
    const id = await cluster.post(one, far);
    await cluster.pass(5_000);
    cluster.crash(one);
    hangs = false;
    const again = await cluster.start('one', { boot: 'another' });
    await cluster.pass(10_000);
    expect(await takes()).toEqual([]);
    await cluster.pass(15_000);
    expect((await takes()).map(({ data }) => data)).toEqual([{ by: again.self, why: 'restarted' }]);
    expect((await story(id)).slice(0, 5)).toEqual(inDoubt);
  });

  it('is copied while it lives, neither takes the other’s lease, nor doubts its attempts', async () => {
    const [one] = await open({ hangs: () => true });
    const id = await cluster.post(one, far);
    await cluster.pass(5_000);
    const copy = await cluster.start('one', { boot: 'another' });
    await cluster.pass(3 * takeoverMs);
    expect([await takes(), await story(id)]).toEqual([[], clean.slice(0, 3)]);
    expect([one, copy].map(({ office }) => office.node!.mayStart())).toEqual([true, true]);
  });
});
