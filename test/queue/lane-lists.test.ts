import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LaneLists } from '../../src/queue/lane-lists.ts';

const any = () => true;

/** All that comes out of the sound lanes, in order. */
function drain(lists: LaneLists, kind: 'sound' | 'troubled' = 'sound'): number[] {
  const rows: number[] = [];
  for (let row = lists.take(kind, any); row !== undefined; row = lists.take(kind, any))
    rows.push(row);
  return rows;
}

describe('lanes', () => {
  it('take turns', () => {
    const lists = new LaneLists();
    [10, 11, 12, 13].forEach((row) => lists.add(row, 1, false, false));
    [20, 21].forEach((row) => lists.add(row, 2, false, false));
    lists.add(30, 3, false, false);
    expect(drain(lists)).toEqual([10, 20, 30, 11, 21, 12, 13]);
  });

  it('serve new mail and retries in turn', () => {
    const lists = new LaneLists();
    [1, 2, 3].forEach((row) => lists.add(row, 1, false, false));
    [11, 12, 13, 14, 15].forEach((row) => lists.add(row, 1, true, false));
    expect(drain(lists)).toEqual([1, 11, 2, 12, 3, 13, 14, 15]);
  });

  it('that may not run are passed over, and lose nothing', () => {
    const lists = new LaneLists();
    [10, 11].forEach((row) => lists.add(row, 1, false, false));
    [20, 21].forEach((row) => lists.add(row, 2, false, false));
    expect([0, 1, 2].map(() => lists.take('sound', (lane) => lane === 2))).toEqual([
      20,
      21,
      undefined,
    ]);
    expect(drain(lists)).toEqual([10, 11]);
  });

  it('in trouble stand apart', () => {
    const lists = new LaneLists();
    lists.add(10, 1, false, false);
    lists.add(20, 2, false, true);
    expect(drain(lists)).toEqual([10]);
    expect(drain(lists, 'troubled')).toEqual([20]);
  });

  it('change sides at once when their trouble begins or ends', () => {
    const lists = new LaneLists();
    [10, 11, 12].forEach((row) => lists.add(row, 1, false, false));
    lists.mark(1, true);
    expect(lists.take('sound', any)).toBeUndefined();
    expect(lists.take('troubled', any)).toBe(10);
    lists.mark(1, false);
    expect(lists.take('sound', any)).toBe(11);
    lists.mark(1, true);
    lists.mark(1, false);
    lists.mark(1, true);
    expect([lists.take('troubled', any), lists.take('troubled', any)]).toEqual([12, undefined]);
  });

  it('that are unknown cannot be marked', () => {
    const lists = new LaneLists();
    lists.mark(5, true);
    lists.remove(1, 5, false);
    expect(drain(lists, 'troubled')).toEqual([]);
  });
});

/** The same in plain arrays, where removing is filtering and turns are shifts. */
class PlainLists {
  readonly lanes = new Map<
    number,
    { rows: [number, boolean][]; retryNext: boolean; troubled: boolean }
  >();
  readonly rings: Record<'sound' | 'troubled', number[]> = { sound: [], troubled: [] };

  add(row: number, lane: number, isRetry: boolean, troubled: boolean): void {
    if (!this.lanes.has(lane)) {
      this.lanes.set(lane, { rows: [], retryNext: false, troubled });
      this.ring(troubled).push(lane);
    }
    this.lanes.get(lane)!.rows.push([row, isRetry]);
    this.mark(lane, troubled);
  }

  mark(lane: number, troubled: boolean): void {
    const lists = this.lanes.get(lane);
    if (lists === undefined || lists.troubled === troubled) return;
    lists.troubled = troubled;
    for (const kind of ['sound', 'troubled'] as const) {
      this.rings[kind] = this.rings[kind].filter((other) => other !== lane);
    }
    this.ring(troubled).push(lane);
  }

  remove(row: number, lane: number): void {
    const lists = this.lanes.get(lane);
    if (lists !== undefined) lists.rows = lists.rows.filter(([other]) => other !== row);
  }

  take(kind: 'sound' | 'troubled', mayRun: (lane: number) => boolean): number | undefined {
    const ring = this.rings[kind];
    for (let asked = ring.length; asked > 0; asked -= 1) {
      const lane = ring.shift()!;
      const lists = this.lanes.get(lane)!;
      if (lists.rows.length === 0) {
        this.lanes.delete(lane);
        continue;
      }
      ring.push(lane);
      if (!mayRun(lane)) continue;
      const wanted =
        lists.rows.find(([, isRetry]) => isRetry === lists.retryNext) ?? lists.rows[0]!;
      lists.retryNext = !lists.retryNext;
      lists.rows = lists.rows.filter((each) => each !== wanted);
      return wanted[0];
    }
    return undefined;
  }

  ring(troubled: boolean): number[] {
    return this.rings[troubled ? 'troubled' : 'sound'];
  }
}

const act = fc.record({
  what: fc.constantFrom('add', 'add', 'add', 'remove', 'take', 'take', 'mark'),
  row: fc.nat(30),
  lane: fc.nat(4),
  flag: fc.boolean(),
  kind: fc.constantFrom('sound' as const, 'troubled' as const),
  closed: fc.nat(6),
});

describe('lanes and plain arrays', () => {
  it('give the same rows in the same order, whatever happens', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 150, size: 'max' }), (acts) => {
        const [lists, plain] = [new LaneLists(), new PlainLists()];
        const inside = new Map<number, { lane: number; isRetry: boolean }>();
        for (const { what, row, lane, flag, kind, closed } of acts) {
          const own = inside.get(row);
          if (what === 'add' && own === undefined) {
            const troubled = plain.lanes.get(lane)?.troubled ?? kind === 'troubled';
            lists.add(row, lane, flag, troubled);
            plain.add(row, lane, flag, troubled);
            inside.set(row, { lane, isRetry: flag });
          } else if (what === 'remove' && own !== undefined) {
            lists.remove(row, own.lane, own.isRetry);
            plain.remove(row, own.lane);
            inside.delete(row);
          } else if (what === 'mark') {
            lists.mark(lane, flag);
            plain.mark(lane, flag);
          } else if (what === 'take') {
            const taken = plain.take(kind, (other) => other !== closed);
            expect(lists.take(kind, (other) => other !== closed)).toBe(taken);
            if (taken !== undefined) inside.delete(taken);
          }
        }
        const rest = [...drain(lists), ...drain(lists, 'troubled')];
        expect(rest.sort()).toEqual([...inside.keys()].sort());
      }),
      { numRuns: 1_000 },
    );
  });

  it('keep no turns of lanes that are gone', () => {
    const lists = new LaneLists();
    for (let round = 0; round < 20_000; round += 1) {
      lists.add(1, round, false, false);
      lists.add(2, round, false, false);
      lists.take('sound', any);
      lists.remove(2, round, false);
      lists.mark(round, round % 2 === 0);
    }
    let asked = 0;
    lists.add(1, 99_999, false, false);
    expect(lists.take('sound', () => (asked += 1) > 0)).toBe(1);
    expect(asked).toBe(1);
  });
});
