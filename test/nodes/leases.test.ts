import { describe, expect, it } from '@jest/globals';
import type { LeaseEvent } from '../../src/nodes/events.ts';
import { leaseStream } from '../../src/nodes/events.ts';
import { empty, fold, heirOf, living, partOf, type Leases } from '../../src/nodes/leases.ts';
import { inherited, own } from '../../src/nodes/owners.ts';

type Said = readonly [incarnation: string, event: LeaseEvent];

const opened = (node: string): LeaseEvent => ({
  ...{ type: 'LeaseOpened', v: 1, at: 0 },
  data: { node, beatMs: 5_000, ttlMs: 30_000 },
});
const taken = (by: string): LeaseEvent => ({
  ...{ type: 'LeaseTaken', v: 1, at: 0 },
  data: { by, why: 'silent' },
});
const closed = (): LeaseEvent => ({ type: 'LeaseClosed', v: 1, at: 0, data: { open: 0 } });

function leasesAfter(...said: readonly Said[]): Leases {
  const leases = empty();
  const revisions = new Map<string, number>();
  for (const [incarnation, event] of said) {
    const revision = (revisions.get(incarnation) ?? -1) + 1;
    revisions.set(incarnation, revision);
    fold(leases, { ...event, stream: leaseStream(incarnation), revision });
  }
  return leases;
}

const three: readonly Said[] = [
  ['a', opened('one')],
  ['b', opened('two')],
  ['c', opened('three')],
];

describe('the letters of a node', () => {
  it('are its own while nobody took its lease, silent or closed', () => {
    const leases = leasesAfter(...three, ['a', closed()]);
    expect(heirOf(leases, 'a')).toBe('a');
    expect(own(new Map([['1', 'a']]), leases, '1', 'a')).toBe('mine');
    expect(own(new Map([['1', 'a']]), leases, '1', 'b')).toBe('other');
  });

  it('fall to whoever took its lease, through however many takes', () => {
    const leases = leasesAfter(...three, ['a', taken('b')], ['b', taken('c')]);
    expect(heirOf(leases, 'a')).toBe('c');
    const owners = new Map([
      ['1', 'a'],
      ['2', 'b'],
      ['3', 'c'],
    ]);
    expect(inherited(owners, leases, 'c')).toEqual([
      ['1', 'a'],
      ['2', 'b'],
    ]);
    expect(inherited(owners, leases, 'b')).toEqual([]);
  });

  it('that it accepted after its lease was taken have an owner at once', () => {
    const leases = leasesAfter(...three, ['a', taken('b')]);
    expect(own(new Map([['late', 'a']]), leases, 'late', 'b')).toBe('adopt');
  });

  it('are found though takes were forged into a circle', () => {
    const leases = leasesAfter(...three, ['a', taken('b')], ['b', taken('a')]);
    expect(['a', 'b']).toContain(heirOf(leases, 'a'));
  });
});

describe('a limit for all nodes together', () => {
  it('is divided among the open ones, what is left over to those that began first', () => {
    const leases = leasesAfter(...three);
    expect(['a', 'b', 'c'].map((self) => partOf(20, leases, self))).toEqual([7, 7, 6]);
    expect(partOf(20, leasesAfter(...three, ['b', closed()]), 'c')).toBe(10);
  });

  it('leaves each at least one, and a channel on hold nothing', () => {
    const leases = leasesAfter(...three);
    expect(['a', 'b', 'c'].map((self) => partOf(2, leases, self))).toEqual([1, 1, 1]);
    expect(partOf(0, leases, 'a')).toBe(0);
  });

  it('counts nobody whose lease has ended', () => {
    const leases = leasesAfter(...three, ['a', taken('b')], ['c', closed()]);
    expect(living(leases).map(({ incarnation }) => incarnation)).toEqual(['b']);
    expect(partOf(20, leases, 'b')).toBe(20);
  });
});
