/** Leases of which the event store has forgotten the beginnings. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { writeFileSync } from 'node:fs';
import { filter, firstValueFrom, tap } from 'rxjs';
import { eventAt } from '../../src/log/known-event.ts';
import type { KurrentLog } from '../../src/log/kurrentdb/kurrent-log.ts';
import type { RecordedEvent, SharedLog } from '../../src/log/ports.ts';
import { leaseEventsKept, leaseStream, type LeaseEvent } from '../../src/nodes/events.ts';
import { keepLease } from '../../src/nodes/keep-lease.ts';
import { Ledger } from '../../src/nodes/ledger.ts';
import { empty, fold, heirOf, isSurelyOver, partOf } from '../../src/nodes/leases.ts';
import { ManualClock } from '../../src/platform/clock.ts';
import { openStandIn } from '../support/kurrent/open.ts';
import type { StandIn } from '../support/kurrent/stand-in.ts';
import { accept } from '../support/queue-mail.ts';
import { openLetters } from '../../src/queue/letters.ts';
import { idOf } from '../support/random-letters.ts';
import { tempDir, type TempDir } from '../support/temp-dir.ts';

describe('a ledger on an event store that was scavenged', () => {
  let dir: TempDir;
  let server: StandIn;
  let log: KurrentLog;
  let close: () => Promise<void>;
  beforeEach(async () => {
    dir = tempDir();
    ({ server, log, close } = await openStandIn());
  });
  afterEach(async () => {
    await close();
    dir.remove();
  });

  async function fold(ledger: Ledger): Promise<Ledger> {
    const signals$ = log.subscribe(await ledger.restore());
    await firstValueFrom(
      signals$.pipe(
        tap((signal) => ledger.hear(signal)),
        filter(({ kind }) => kind === 'caught-up'),
      ),
    );
    return ledger;
  }

  const told = ({ leases, owners }: Ledger) => ({
    leases: [...leases.values()],
    owners: owners.owners().map((owner) => [owner, ...owners.of(owner)]),
  });

  it('is the same as before, from the first event and from a checkpoint that ends with a lost one', async () => {
    const clock = new ManualClock();
    const state = () => ({ open: 1, position: 0 });
    const lease = keepLease({
      ...{ log, clock, incarnation: 'a', node: 'one', home: 'h', boot: 'b', fenced: true, state },
    });
    await lease.open();
    await openLetters({ log }).handle(idOf(1), { ...accept('x@far.test'), owner: 'a' });
    const beat = async () => {
      const before = await log.head();
      clock.advance(5_000);
      while ((await log.head()) === before) await new Promise((done) => setTimeout(done, 1));
    };
    await beat();
    const file = dir.file('nodes');
    const early = await fold(new Ledger({ log, file }));
    const last = (await eventAt(log, early.position))!;
    expect(last.type).toBe('LeaseBeat');
    writeFileSync(file, Buffer.concat(early.checkpoint(last)));
    for (let count = 0; count < leaseEventsKept + 5; count += 1) await beat();
    expect(await log.readStream(leaseStream('a'))).toHaveLength(leaseEventsKept);
    const whole = told(await fold(new Ledger({ log })));
    expect(server.store.scavenge()).toBe(7);
    expect(told(await fold(new Ledger({ log })))).toEqual(whole);
    const why: string[] = [];
    const again = new Ledger({ log, file, onThrownAway: (words) => why.push(words) });
    expect([await again.restore(), why]).toEqual([early.position, []]);
    expect(told(await fold(again))).toEqual(whole);
    expect(whole.leases).toMatchObject([
      { node: 'one', home: 'h', boot: 'b', fenced: true, openedAt: Date.UTC(2026, 0, 1) },
    ]);
  });
});

/** What may happen to a lease, in any order that its rules allow. */
const word = fc.record({
  of: fc.nat(3),
  // Lives are long: what a fold may not miss is what lies far back.
  what: fc.oneof(
    { weight: 12, arbitrary: fc.constant('beat') },
    { weight: 2, arbitrary: fc.constant('drain') },
    { weight: 1, arbitrary: fc.constantFrom('close', 'take', 'declare', 'again') },
  ),
  by: fc.nat(3),
});

/** Lives of four nodes; each event is one that its stream may have at that place. */
async function livesOf(words: readonly { of: number; what: string; by: number }[]) {
  type Life = { self: string; home: string; events: LeaseEvent[]; is: string };
  const said: RecordedEvent[] = [];
  const lives: Life[] = [];
  const nodes: Life[] = [];
  const say = (life: Life, event: LeaseEvent): void => {
    const place = { stream: leaseStream(life.self), revision: life.events.length };
    said.push({ ...event, ...place, position: said.length + 1 });
    life.events.push(event);
  };
  const begin = (of: number): void => {
    const self = `life-${lives.length}`;
    const life: Life = { self, home: `home-${of}`, events: [], is: 'open' };
    lives.push(life);
    nodes[of] = life;
    const data = { ...factsOf(life) };
    say(life, { type: 'LeaseOpened', v: 1, at: said.length, data });
  };
  const factsOf = ({ home }: Life) => ({ node: home, home, beatMs: 1, ttlMs: 3, boot: 'b' });
  for (const of of [0, 1, 2, 3]) begin(of);
  for (const { of, what, by } of words) {
    const life = nodes[of]!;
    const at = said.length;
    const isTaken = life.is === 'taken' || life.is === 'both';
    if (what === 'again') begin(of);
    else if (what === 'beat' && (life.is === 'open' || life.is === 'draining')) {
      const draining = life.is === 'draining' ? { draining: true as const } : {};
      const openedAt = said.find(({ stream }) => stream === leaseStream(life.self))!.at;
      const lease = { ...factsOf(life), openedAt };
      const data = { count: at, open: at, position: at, ...draining, lease };
      say(life, { type: 'LeaseBeat', v: 1, at, data });
    } else if (what === 'drain' && life.is === 'open') {
      life.is = 'draining';
      say(life, { type: 'LeaseDraining', v: 1, at, data: { open: at } });
    } else if (what === 'close' && life.is === 'draining') {
      life.is = 'closed';
      say(life, { type: 'LeaseClosed', v: 1, at, data: { open: at } });
    } else if (what === 'take' && !isTaken && by !== of) {
      const why = life.is === 'closed' ? 'closed' : life.is === 'gone' ? 'gone' : 'silent';
      life.is = life.is === 'gone' ? 'both' : 'taken';
      const { self } = nodes[by]!;
      say(life, { type: 'LeaseTaken', v: 1, at, data: { by: self, why } });
    } else if (what === 'declare' && life.is !== 'gone' && life.is !== 'both') {
      life.is = isTaken ? 'both' : 'gone';
      say(life, { type: 'LeaseDeclaredGone', v: 1, at, data: { by: 'op', why: '' } });
    }
  }
  return { said, lives: lives.map(({ self }) => self) };
}

describe('leases without their first events', () => {
  it('are told as with them: who lives, who is heir to whom, who is surely over, whose part is which', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(word, { maxLength: 120, size: 'max' }),
        fc.integer({ min: 5, max: 12 }),
        fc.infiniteStream(fc.boolean()),
        async (words, most, isTaken) => {
          const { said, lives } = await livesOf(words);
          const lengths = new Map<string, number>();
          for (const { stream, revision } of said) lengths.set(stream, revision + 1);
          const left = said.filter(({ stream, revision }) => {
            const isHidden = revision < lengths.get(stream)! - most;
            return !isHidden || isTaken.next().value !== true;
          });
          const view = (events: readonly RecordedEvent[]) => {
            const leases = events.reduce(
              (all, event) => fold(all, event as RecordedEvent & LeaseEvent),
              empty(),
            );
            return lives.map((self) => ({
              ...{ lease: leases.get(self), heir: heirOf(leases, self) },
              ...{ over: isSurelyOver(leases, self), part: partOf(20, leases, self) },
            }));
          };
          expect(view(left)).toEqual(view(said));
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('a lease', () => {
  it('says once that its old events may go, and again when that could not be written', async () => {
    const asked: unknown[] = [];
    let fails = true;
    const log = {
      append: async (_: string, expected: number) => ({ revision: expected + 1, position: 1 }),
      readStream: async () => [],
      async keepYoungest(...args: unknown[]) {
        asked.push(args);
        if (fails) throw new Error('not now');
      },
    } as unknown as SharedLog;
    const clock = new ManualClock();
    const troubles: unknown[] = [];
    const lease = keepLease({
      ...{ log, clock, incarnation: 'a', node: 'one' },
      state: () => ({ open: 0, position: 0 }),
      onTrouble: (cause) => troubles.push(cause),
    });
    await lease.open();
    const pass = async (ms: number) => {
      clock.advance(ms);
      await new Promise((done) => setImmediate(done));
    };
    await pass(5_000);
    expect([asked.length, troubles.length, lease.standing]).toEqual([2, 2, 'sound']);
    fails = false;
    await pass(5_000);
    await pass(5_000);
    await pass(5_000);
    expect(asked).toEqual(Array(3).fill([leaseStream('a'), leaseEventsKept]));
  });
});
