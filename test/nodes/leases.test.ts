import { describe, expect, it } from '@jest/globals';
import type { LeaseEvent } from '../../src/nodes/events.ts';
import { leaseStream } from '../../src/nodes/events.ts';
import {
  empty,
  fold,
  heirOf,
  isSurelyOver,
  living,
  partOf,
  type Leases,
} from '../../src/nodes/leases.ts';
import { inherited, nobody, own, Owners } from '../../src/nodes/owners.ts';

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

function ownersOf(...letters: readonly (readonly [string, string])[]): Owners {
  const owners = new Owners();
  for (const [message, owner] of letters) owners.set(message, owner);
  return owners;
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
    expect(own(ownersOf(['1', 'a']), leases, '1', 'a')).toBe('mine');
    expect(own(ownersOf(['1', 'a']), leases, '1', 'b')).toBe('other');
  });

  it('fall to whoever took its lease, through however many takes', () => {
    const leases = leasesAfter(...three, ['a', taken('b')], ['b', taken('c')]);
    expect(heirOf(leases, 'a')).toBe('c');
    const owners = ownersOf(['1', 'a'], ['2', 'b'], ['3', 'c']);
    expect(inherited(owners, leases, 'c')).toEqual([
      ['1', 'a'],
      ['2', 'b'],
    ]);
    expect(inherited(owners, leases, 'b')).toEqual([]);
  });

  it('that it accepted after its lease was taken have an owner at once', () => {
    const leases = leasesAfter(...three, ['a', taken('b')]);
    expect(own(ownersOf(['late', 'a']), leases, 'late', 'b')).toBe('adopt');
  });

  it('that came before there were nodes go to the one that began first and still works', () => {
    const owners = ownersOf(['old', nobody]);
    const leases = leasesAfter(...three);
    expect(own(owners, leases, 'old', 'a')).toBe('adopt');
    expect(own(owners, leases, 'old', 'b')).toBe('other');
    expect(own(owners, leasesAfter(...three, ['a', closed()]), 'old', 'b')).toBe('adopt');
  });

  it('are counted by owner, and forgotten when they are done', () => {
    const owners = ownersOf(['1', 'a'], ['2', 'a'], ['3', 'b']);
    owners.set('2', 'b');
    owners.delete('1');
    owners.delete('1');
    expect([owners.count('a'), owners.count('b'), owners.size]).toEqual([0, 2, 2]);
    expect(owners.owners()).toEqual(['b']);
    expect([...owners.of('b')]).toEqual(['2', '3']);
    expect(owners.get('1')).toBeUndefined();
  });

  it('are found though takes were forged into a circle', () => {
    const leases = leasesAfter(...three, ['a', taken('b')], ['b', taken('a')]);
    expect(['a', 'b']).toContain(heirOf(leases, 'a'));
  });
});

describe('what a node had under way', () => {
  const home = (node: string, place: string): LeaseEvent => ({
    ...{ type: 'LeaseOpened', v: 1, at: 0 },
    data: { node, home: place, beatMs: 5_000, ttlMs: 30_000 },
  });
  const why = (reason: 'silent' | 'closed' | 'restarted'): LeaseEvent => ({
    ...{ type: 'LeaseTaken', v: 1, at: 0 },
    data: { by: 'b', why: reason },
  });

  it('may still be, when it only fell silent', () => {
    expect(isSurelyOver(leasesAfter(...three), 'a')).toBe(false);
    expect(isSurelyOver(leasesAfter(...three, ['a', why('silent')]), 'a')).toBe(false);
    expect(isSurelyOver(leasesAfter(...three), 'unheard of')).toBe(false);
  });

  it('is over when it said so, or its own next life did', () => {
    expect(isSurelyOver(leasesAfter(...three, ['a', closed()]), 'a')).toBe(true);
    expect(isSurelyOver(leasesAfter(...three, ['a', why('closed')]), 'a')).toBe(true);
    expect(isSurelyOver(leasesAfter(...three, ['a', why('restarted')]), 'a')).toBe(true);
  });

  it('is over when its data directory is in use again, whatever clocks say, and not when one of that name is elsewhere', () => {
    const lives: readonly Said[] = [
      ['z', home('one', 'here')],
      ['a', home('one', 'here')],
      ['b', home('one', 'there')],
    ];
    const over = (incarnation: string) => isSurelyOver(leasesAfter(...lives), incarnation);
    expect([over('z'), over('a'), over('b')]).toEqual([true, false, false]);
  });

  it('may still be when its data directory is in use under another kernel, which may be a clone’s', () => {
    const life = (boot: string): LeaseEvent => {
      const opened = home('one', 'here');
      return { ...opened, data: { ...opened.data, boot } } as LeaseEvent;
    };
    const lives: readonly Said[] = [
      ['a', life('monday')],
      ['b', life('tuesday')],
      ['c', life('monday')],
    ];
    const over = (incarnation: string) => isSurelyOver(leasesAfter(...lives), incarnation);
    expect([over('a'), over('b'), over('c')]).toEqual([true, false, false]);
  });

  it('is over when an operator says so, whether its lease was taken or not', () => {
    const gone: LeaseEvent = {
      ...{ type: 'LeaseDeclaredGone', v: 1, at: 0 },
      data: { by: 'op', why: '' },
    };
    for (const said of [
      [['a', gone]],
      [
        ['a', why('silent')],
        ['a', gone],
      ],
    ] as const) {
      const leases = leasesAfter(...three, ...(said as unknown as readonly Said[]));
      expect(isSurelyOver(leases, 'a')).toBe(true);
      expect(living(leases).map(({ incarnation }) => incarnation)).toEqual(['b', 'c']);
      expect(partOf(20, leases, 'b')).toBe(10);
    }
    expect(heirOf(leasesAfter(...three, ['a', why('silent')], ['a', gone]), 'a')).toBe('b');
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
