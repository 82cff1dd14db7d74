import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DueHeap } from '../../src/queue/due-heap.ts';

const act = fc.record({
  what: fc.constantFrom('put', 'put', 'put', 'remove', 'pop'),
  row: fc.nat(40),
  due: fc.nat(20),
});

describe('a heap of due rows', () => {
  it('is empty at first, and knows no row', () => {
    const heap = new DueHeap(() => 0);
    heap.remove(5);
    expect([heap.size, heap.peek(), heap.has(5), heap.has(99_999)]).toEqual([
      0,
      undefined,
      false,
      false,
    ]);
  });

  it('gives rows by due time, however they came', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000), { maxLength: 3_000 }), (dues) => {
        const heap = new DueHeap((row) => dues[row]!);
        dues.forEach((_, row) => heap.put(row));
        const given: number[] = [];
        for (let row = heap.peek(); row !== undefined; row = heap.peek()) {
          given.push(dues[row]!);
          heap.remove(row);
        }
        expect(given).toEqual([...dues].sort((a, b) => a - b));
      }),
      { numRuns: 30 },
    );
  });

  it('says what a plain map says: rows added, moved, removed', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 200, size: 'max' }), (acts) => {
        const dues = new Map<number, number>();
        const model = new Map<number, number>();
        const heap = new DueHeap((row) => dues.get(row)!);
        for (const { what, row, due } of acts) {
          const first = heap.peek();
          if (what === 'put') {
            dues.set(row, due);
            model.set(row, due);
            heap.put(row);
          } else if (what === 'remove' || first === undefined) {
            // A row leaves also after its time was changed.
            dues.set(row, due);
            model.delete(row);
            heap.remove(row);
          } else {
            model.delete(first);
            heap.remove(first);
          }
          expect(heap.size).toBe(model.size);
          expect(heap.has(row)).toBe(model.has(row));
          const next = heap.peek();
          expect(next === undefined ? Infinity : model.get(next)).toBe(Math.min(...model.values()));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('takes rows of any number', () => {
    const heap = new DueHeap((row) => -row);
    [3, 100_000, 7, 5_000].forEach((row) => heap.put(row));
    expect(heap.peek()).toBe(100_000);
    heap.remove(100_000);
    expect([heap.peek(), heap.size]).toEqual([5_000, 3]);
  });
});
