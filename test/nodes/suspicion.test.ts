/** Whom a node thinks dead: by its own clock, and only while the log serves it. */
import { describe, expect, it } from '@jest/globals';
import { leaseStream, type LeaseEvent } from '../../src/nodes/events.ts';
import { empty, fold } from '../../src/nodes/leases.ts';
import { Suspicion } from '../../src/nodes/suspicion.ts';

const beatMs = 5_000;
const ttlMs = 30_000;

/** `us` and others, all open; `letters`: as each said last. */
function watch(others: readonly string[], letters: Readonly<Record<string, number>> = {}) {
  const leases = empty();
  const revisions = new Map<string, number>();
  const say = (incarnation: string, event: LeaseEvent): void => {
    const revision = (revisions.get(incarnation) ?? -1) + 1;
    revisions.set(incarnation, revision);
    fold(leases, { ...event, stream: leaseStream(incarnation), revision });
  };
  for (const incarnation of ['us', ...others]) {
    const data = { node: incarnation, beatMs, ttlMs };
    say(incarnation, { type: 'LeaseOpened', v: 1, at: 0, data });
    const open = letters[incarnation] ?? 0;
    say(incarnation, { type: 'LeaseBeat', v: 1, at: 0, data: { count: 1, open, position: 0 } });
  }
  const suspicion = new Suspicion('us', beatMs);
  const suspects = () => suspicion.suspects(leases).map(({ lease }) => lease.incarnation);
  let now = 0;
  /** Our own beats come back, one a period; those of `alive`, too. */
  const pass = (ms: number, alive: readonly string[] = []): string[] => {
    for (let done = 0; done < ms; done += beatMs) {
      now += beatMs;
      suspicion.heard('us', now);
      for (const each of alive) suspicion.heard(each, now);
      suspects();
    }
    return suspects();
  };
  return {
    ...{ suspicion, leases, say, suspects, pass },
    skip: (ms: number) => (now += ms),
    get now() {
      return now;
    },
  };
}

describe('a node that watches others', () => {
  it('suspects who was silent for its time and a jitter of two beats at most, and nobody else', () => {
    const { pass } = watch(['dead', 'well']);
    expect(pass(20_000, ['dead', 'well'])).toEqual([]);
    expect(pass(ttlMs, ['well'])).toEqual([]);
    expect(pass(3 * beatMs, ['well'])).toEqual(['dead']);
  });

  it('does not count the time in which its own beats did not come back', () => {
    const world = watch(['other']);
    world.pass(20_000, ['other']);
    world.skip(600_000);
    expect(world.pass(beatMs)).toEqual([]);
    expect(world.pass(ttlMs - beatMs)).toEqual([]);
    expect(world.pass(4 * beatMs)).toEqual(['other']);
  });

  it('begins anew with everybody after such a time, however long they had been silent before', () => {
    const world = watch(['other']);
    world.pass(20_000, ['other']);
    world.pass(ttlMs - beatMs);
    world.skip(60_000);
    expect(world.pass(ttlMs)).toEqual([]);
    expect(world.pass(3 * beatMs)).toEqual(['other']);
  });

  it('counts nothing by a clock that was set back', () => {
    const world = watch(['other']);
    world.pass(20_000, ['other']);
    world.skip(-600_000);
    expect(world.pass(ttlMs)).toEqual([]);
  });

  it('bears with a beat of its own that is late', () => {
    const world = watch(['other']);
    world.pass(20_000, ['other']);
    for (let beats = 0; beats < 5; beats += 1) {
      world.skip(beatMs);
      world.pass(beatMs);
    }
    expect(world.suspects()).toEqual(['other']);
  });

  it('forgives whoever is heard again', () => {
    const { pass } = watch(['other']);
    pass(20_000, ['other']);
    expect(pass(ttlMs + 3 * beatMs)).toEqual(['other']);
    expect(pass(beatMs, ['other'])).toEqual([]);
  });

  it('never suspects itself, nor whose lease has been taken', () => {
    const { pass, say } = watch(['other']);
    say('other', { type: 'LeaseTaken', v: 1, at: 0, data: { by: 'us', why: 'silent' } });
    expect(pass(200_000)).toEqual([]);
  });

  it('leaves a lease that was closed to those who have less to do, for two beats each', () => {
    const closed = (letters: Readonly<Record<string, number>>) => {
      const { pass, say, suspicion, suspects, now } = watch(['gone', 'idle'], letters);
      pass(20_000, ['gone', 'idle']);
      say('gone', { type: 'LeaseClosed', v: 1, at: 0, data: { open: 3 } });
      suspicion.heard('gone', now + 20_000);
      return { at: suspects(), later: pass(3 * beatMs, ['idle']) };
    };
    expect(closed({ us: 1, idle: 9 }).at).toEqual(['gone']);
    expect(closed({ us: 9, idle: 1 })).toEqual({ at: [], later: ['gone'] });
  });

  it('takes at once whose node is declared gone, and says why', () => {
    const { pass, say, suspicion, leases } = watch(['gone']);
    pass(20_000, ['gone']);
    say('gone', { type: 'LeaseDeclaredGone', v: 1, at: 0, data: { by: 'op', why: '' } });
    suspicion.heard('gone', 20_000);
    expect(suspicion.suspects(leases)).toEqual([
      { lease: { incarnation: 'gone', revision: 2 }, why: 'gone' },
    ]);
  });
});
