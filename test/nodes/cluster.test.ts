/** Several nodes on one log under a clock that we push: who is taken, by whom, and when. */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Subscription } from 'rxjs';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import { ManualClock } from '../../src/platform/clock.ts';
import { keepLease } from '../../src/nodes/keep-lease.ts';
import { declareGone } from '../../src/nodes/declare.ts';
import { Ledger } from '../../src/nodes/ledger.ts';
import { followNodes } from '../../src/nodes/pipeline.ts';
import { heirOf, type Leases } from '../../src/nodes/leases.ts';
import { FaultyLog, turnOfTheLoop } from '../support/faulty-log.ts';
import { seeded } from '../support/seeded.ts';

type Member = {
  readonly name: string;
  readonly log: FaultyLog;
  readonly clock: ManualClock;
  readonly lease: ReturnType<typeof keepLease>;
  readonly leases: Leases;
  readonly adopted: string[];
  readonly troubles: unknown[];
  /** A process that stands still, or is dead. */
  stopped: boolean;
  following: Subscription;
};

const stepMs = 1_000;
const running: Member[] = [];
afterEach(() => running.splice(0).forEach(({ following }) => following.unsubscribe()));

async function join(shared: MemoryLog, name: string, node = name, boot?: string): Promise<Member> {
  const log = new FaultyLog(shared);
  const clock = new ManualClock();
  const ledger = new Ledger({ log });
  const { leases, owners } = ledger;
  const adopted: string[] = [];
  const troubles: unknown[] = [];
  for (const each of ['a', 'a1', 'b', 'c', 'd']) owners.set(`of-${each}`, each);
  const state = () => ({ open: 0, position: 0 });
  const lease = keepLease({ ...{ log, clock, incarnation: name, node, state, boot } });
  const following = followNodes({
    ...{ log, clock, ledger, lease, self: name, node, boot },
    adopt: async (message) => {
      adopted.push(message);
      owners.set(message, name);
    },
    onTrouble: (cause) => troubles.push(cause),
  }).subscribe();
  following.add(shared.subscribe(0).subscribe((signal) => ledger.hear(signal)));
  await lease.open();
  const member: Member = {
    ...{ name, log, clock, lease, leases, adopted, troubles, stopped: false, following },
  };
  running.push(member);
  return member;
}

async function pass(members: readonly Member[], ms: number): Promise<void> {
  for (let done = 0; done < ms; done += stepMs) {
    for (const member of members) if (!member.stopped) member.clock.advance(stepMs);
    for (let turn = 0; turn < 3; turn += 1) await turnOfTheLoop();
  }
}

const takes = async (log: MemoryLog) =>
  (await log.readAll({ limit: 100_000 })).filter(({ type }) => type === 'LeaseTaken');

describe('nodes on one log', () => {
  it('leave each other alone while all beat', async () => {
    const log = new MemoryLog();
    const all = [await join(log, 'a'), await join(log, 'b'), await join(log, 'c')];
    await pass(all, 300_000);
    expect(await takes(log)).toEqual([]);
    expect(all.map(({ lease }) => lease.standing)).toEqual(['sound', 'sound', 'sound']);
  });

  it('take the lease of one that died, once, after its time and a few beats', async () => {
    const log = new MemoryLog();
    const [a, ...others] = [await join(log, 'a'), await join(log, 'b'), await join(log, 'c')];
    await pass([a, ...others], 20_000);
    a.stopped = true;
    await pass(others, 30_000);
    expect(await takes(log)).toEqual([]);
    await pass(others, 20_000);
    const [take, ...more] = await takes(log);
    expect(more).toEqual([]);
    expect(take!.stream).toBe('lease-a');
    expect(['b', 'c']).toContain(heirOf(others[0].leases, 'a'));
  });

  it('suspect nobody after an outage of the log that all had', async () => {
    const log = new MemoryLog();
    const all = [await join(log, 'a'), await join(log, 'b'), await join(log, 'c')];
    await pass(all, 20_000);
    for (const member of all) member.log.fault = () => 'refused';
    await pass(all, 600_000);
    expect(all.map(({ lease }) => lease.standing)).toEqual(Array(3).fill('restrained'));
    for (const member of all) member.log.fault = () => 'none';
    await pass(all, 60_000);
    expect(await takes(log)).toEqual([]);
    expect(all.map(({ lease }) => lease.standing)).toEqual(Array(3).fill('sound'));
  });

  it('take a closed lease at once', async () => {
    const log = new MemoryLog();
    const [a, b] = [await join(log, 'a'), await join(log, 'b')];
    await pass([a, b], 10_000);
    await a.lease.drain();
    await a.lease.close();
    await pass([a, b], 10_000);
    expect(await takes(log)).toMatchObject([
      { stream: 'lease-a', data: { by: 'b', why: 'closed' } },
    ]);
  });

  it('take nothing while they drain: they could not go on with it', async () => {
    const log = new MemoryLog();
    const [a, b] = [await join(log, 'a'), await join(log, 'b')];
    await pass([a, b], 10_000);
    await b.lease.drain();
    a.stopped = true;
    await pass([b], 120_000);
    expect([await takes(log), b.adopted]).toEqual([[], []]);
    const c = await join(log, 'c');
    await pass([b, c], 60_000);
    expect((await takes(log)).map(({ stream }) => stream)).toEqual(['lease-a']);
    expect(c.adopted).toContain('of-a');
  });

  it('take their own predecessor’s lease as soon as they have heard of it', async () => {
    const log = new MemoryLog();
    const [a, b] = [await join(log, 'a1', 'a'), await join(log, 'b')];
    await pass([a, b], 7_000);
    a.stopped = true;
    const again = await join(log, 'a2', 'a');
    await pass([b, again], stepMs);
    expect(await takes(log)).toMatchObject([
      { stream: 'lease-a1', data: { by: 'a2', why: 'restarted' } },
    ]);
    await pass([b, again], 10_000);
    expect(again.adopted).toEqual(['of-a1']);
    expect(b.adopted).toEqual([]);
  });

  it('take their predecessor’s lease after a few beats when the machine was started anew in between', async () => {
    const log = new MemoryLog();
    const [a, b] = [await join(log, 'a1', 'a', 'monday'), await join(log, 'b')];
    await pass([a, b], 7_000);
    a.stopped = true;
    const again = await join(log, 'a2', 'a', 'tuesday');
    await pass([b, again], 12_000);
    expect(await takes(log)).toEqual([]);
    await pass([b, again], 8_000);
    expect(await takes(log)).toMatchObject([
      { stream: 'lease-a1', data: { by: 'a2', why: 'restarted' } },
    ]);
    expect(again.troubles).toEqual([]);
  });

  it('leave a copy of themselves alone that lives on another machine, and both say so', async () => {
    const log = new MemoryLog();
    const all = [await join(log, 'a1', 'a', 'here'), await join(log, 'a2', 'a', 'there')];
    await pass(all, 120_000);
    expect(await takes(log)).toEqual([]);
    expect(all.map(({ lease }) => lease.standing)).toEqual(['sound', 'sound']);
    for (const { troubles } of all) {
      expect(troubles.length).toBeGreaterThan(10);
      expect(troubles[0]).toMatchObject({
        code: 'refused',
        message: expect.stringMatching(/copy/),
      });
    }
  });

  it('take the lease of one that an operator declares gone, without waiting for its time to pass', async () => {
    const log = new MemoryLog();
    const [a, b] = [await join(log, 'a'), await join(log, 'b')];
    await pass([a, b], 7_000);
    a.stopped = true;
    const { revision } = b.leases.get('a')!;
    const word = { incarnation: 'a', revision, by: 'op', why: 'on fire', at: 0 };
    expect(await declareGone(log, word)).toBe(true);
    await pass([b], 5_000);
    expect(await takes(log)).toMatchObject([{ stream: 'lease-a', data: { by: 'b', why: 'gone' } }]);
    expect(b.adopted).toContain('of-a');
  });

  it('that are declared gone and are not stop with their next word', async () => {
    const log = new MemoryLog();
    const [a, b] = [await join(log, 'a'), await join(log, 'b')];
    await pass([a, b], 7_000);
    const { revision } = b.leases.get('a')!;
    const word = { incarnation: 'a', by: 'op', why: '', at: 0 };
    expect(await declareGone(log, { ...word, revision: revision - 1 })).toBe(false);
    expect(await declareGone(log, { ...word, revision })).toBe(true);
    // Said twice is said once.
    expect(await declareGone(log, { ...word, revision })).toBe(true);
    await pass([a, b], 5_000);
    expect(a.lease.standing).toBe('lost');
    await pass([a, b], 60_000);
    expect((await takes(log)).map(({ stream }) => stream)).toEqual(['lease-a']);
    expect((await log.readStream('lease-a')).map(({ type }) => type).slice(-2)).toEqual([
      'LeaseDeclaredGone',
      'LeaseTaken',
    ]);
  });

  it('that wake from a long sleep find their lease gone and stop', async () => {
    const log = new MemoryLog();
    const [a, b] = [await join(log, 'a'), await join(log, 'b')];
    await pass([a, b], 10_000);
    a.stopped = true;
    await pass([b], 60_000);
    a.stopped = false;
    await pass([a, b], 10_000);
    expect(a.lease.standing).toBe('lost');
    expect(b.lease.standing).toBe('sound');
    expect(await takes(log)).toHaveLength(1);
  });

  it.each(Array.from({ length: 40 }, (_, seed) => seed))(
    'end every dead lease exactly once and no living one that was heard (seed %i)',
    async (seed) => {
      const chance = seeded(seed);
      const log = new MemoryLog();
      const all: Member[] = [];
      for (const name of ['a', 'b', 'c', 'd']) all.push(await join(log, name));
      for (let step = 0; step < 40; step += 1) {
        const member = chance.one(all);
        const what = chance.next();
        if (what < 0.15) member.stopped = !member.stopped;
        else if (what < 0.3) member.log.fault = () => (chance.happens(0.5) ? 'refused' : 'lost');
        else if (what < 0.6) member.log.fault = () => 'none';
        await pass(all, 1_000 + chance.below(15_000));
      }
      // One survivor whom nothing troubles any more.
      const survivor = await join(log, 'z');
      for (const member of all) member.stopped = true;
      await pass([...all, survivor], 120_000);
      for (const { name } of all) expect(heirOf(survivor.leases, name)).toBe('z');
      expect([...survivor.adopted].sort()).toEqual(['of-a', 'of-b', 'of-c', 'of-d']);
      const events = await log.readAll({ limit: 100_000 });
      for (const { name } of all) {
        const mine = events.filter(({ stream }) => stream === `lease-${name}`);
        expect(mine.filter(({ type }) => type === 'LeaseTaken')).toHaveLength(1);
        expect(mine.at(-1)!.type).toBe('LeaseTaken');
      }
      expect(survivor.lease.standing).toBe('sound');
    },
  );
});
