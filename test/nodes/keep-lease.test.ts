import { describe, expect, it } from '@jest/globals';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import { ManualClock } from '../../src/platform/clock.ts';
import { keepLease } from '../../src/nodes/keep-lease.ts';
import { takeLease } from '../../src/nodes/pipeline.ts';
import { empty, fold, type Leases } from '../../src/nodes/leases.ts';
import { suspect } from '../../src/nodes/suspicion.ts';
import type { LeaseEvent } from '../../src/nodes/events.ts';
import type { RecordedEvent } from '../../src/log/ports.ts';
import { FaultyLog, type Fault, turnOfTheLoop } from '../support/faulty-log.ts';

function world() {
  const log = new FaultyLog(new MemoryLog());
  const clock = new ManualClock();
  const lease = keepLease({
    ...{ log, clock, incarnation: 'a', node: 'one' },
    state: () => ({ open: 3, position: 17 }),
  });
  const pass = async (ms: number) => {
    for (let done = 0; done < ms; done += 1_000) {
      clock.advance(1_000);
      await turnOfTheLoop();
    }
  };
  const types = async () => (await log.inner.readStream('lease-a')).map(({ type }) => type);
  return { log, clock, lease, pass, types, fail: (fault: Fault) => (log.fault = () => fault) };
}

async function leasesIn(log: FaultyLog): Promise<Leases> {
  const events = await log.inner.readAll({ limit: 1_000 });
  return events.reduce(
    (leases, event) => fold(leases, event as RecordedEvent & LeaseEvent),
    empty(),
  );
}

describe('a node’s lease', () => {
  it('is opened, beats every five seconds, and says how much there is to do', async () => {
    const { log, clock, lease, pass, types } = world();
    await lease.open();
    expect(lease.standing).toBe('sound');
    await pass(11_000);
    expect(await types()).toEqual(['LeaseOpened', 'LeaseBeat', 'LeaseBeat']);
    const [, , last] = await log.inner.readStream('lease-a');
    const facts = { node: 'one', beatMs: 5_000, ttlMs: 30_000, openedAt: clock.now() - 11_000 };
    expect(last!.data).toEqual({ count: 2, open: 3, position: 17, lease: facts });
  });

  it('restrains the node when the log has not answered for twenty seconds, and no longer than that', async () => {
    const { lease, pass, fail } = world();
    await lease.open();
    fail('refused');
    await pass(19_000);
    expect(lease.standing).toBe('sound');
    await pass(1_000);
    expect(lease.standing).toBe('restrained');
    fail('none');
    await pass(5_000);
    expect(lease.standing).toBe('sound');
  });

  it('goes on beating after an answer that got lost', async () => {
    const { lease, pass, types, fail } = world();
    await lease.open();
    fail('lost');
    await pass(5_000);
    fail('none');
    await pass(10_000);
    expect(lease.standing).toBe('sound');
    const said = await types();
    expect(said.length).toBeGreaterThanOrEqual(3);
    expect(new Set(said.slice(1))).toEqual(new Set(['LeaseBeat']));
  });

  it('is lost for ever once another took it, and says nothing more', async () => {
    const { log, clock, lease, pass, types } = world();
    await lease.open();
    const seen = (await leasesIn(log)).get('a')!;
    await takeLease({ log: log.inner, clock, self: 'b' }, { lease: seen, why: 'silent' });
    await pass(5_000);
    expect(lease.standing).toBe('lost');
    await pass(60_000);
    await lease.close();
    expect(await types()).toEqual(['LeaseOpened', 'LeaseTaken']);
  });

  it('cannot be taken by one who has not heard its last beat, nor twice', async () => {
    const { log, clock, lease, pass, types } = world();
    await lease.open();
    const seen = (await leasesIn(log)).get('a')!;
    await pass(5_000);
    await takeLease({ log: log.inner, clock, self: 'b' }, { lease: seen, why: 'silent' });
    expect(await types()).toEqual(['LeaseOpened', 'LeaseBeat']);
    const now = (await leasesIn(log)).get('a')!;
    for (const self of ['b', 'c']) {
      await takeLease({ log: log.inner, clock, self }, { lease: now, why: 'silent' });
    }
    expect(await types()).toEqual(['LeaseOpened', 'LeaseBeat', 'LeaseTaken']);
    const last = (await leasesIn(log)).get('a')!;
    expect(last.taken?.by).toBe('b');
  });

  it('cannot be taken once it was heard again, though it was suspected before', async () => {
    const { log, clock, lease, pass, types } = world();
    await lease.open();
    const leases = await leasesIn(log);
    const suspected = suspect(leases.get('a')!, 'silent');
    await pass(5_000);
    const [, beat] = await log.inner.readStream('lease-a');
    fold(leases, beat as RecordedEvent & LeaseEvent);
    await takeLease({ log: log.inner, clock, self: 'b' }, suspected);
    expect(await types()).toEqual(['LeaseOpened', 'LeaseBeat']);
  });

  it('drains, then closes: beats go on until then', async () => {
    const { lease, pass, types } = world();
    await lease.open();
    await lease.drain();
    expect(lease.standing).toBe('draining');
    await pass(5_000);
    await lease.close();
    await pass(20_000);
    expect(await types()).toEqual(['LeaseOpened', 'LeaseDraining', 'LeaseBeat', 'LeaseClosed']);
    expect(lease.standing).toBe('closed');
  });
});
