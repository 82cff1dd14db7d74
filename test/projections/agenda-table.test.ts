import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { none, rowStatus, type Row } from '../../projections/agenda-rows.ts';
import { AgendaTable } from '../../projections/agenda-table.ts';

const { waiting, attempting } = rowStatus;

describe('a table of rows', () => {
  it('has none at first', () => {
    const table = new AgendaTable();
    expect([table.letters, table.recipients, [...table.openLetters()]]).toEqual([0, 0, []]);
    expect(table.find('x', 0)).toBe(none);
    expect(table.letterNo('x')).toBeUndefined();
  });

  it('uses the numbers of rows, letters and lanes again', () => {
    const table = new AgendaTable();
    for (let round = 0; round < 5_000; round += 1) {
      table.add(`letter ${round}`, [`lane ${round}`, `other ${round}`], round);
      const rows = [...table.rowsOf(table.letterNo(`letter ${round}`)!)];
      rows.forEach((row) => table.remove(row));
    }
    expect(table.letter).toHaveLength(1024);
    table.add('last', ['a lane'], 0);
    expect(table.letterNo('last')).toBe(0);
    expect(table.laneNo('a lane')).toBeLessThan(2);
  });

  it('grows as letters come, and forgets nothing', () => {
    const table = new AgendaTable();
    for (let no = 0; no < 3_000; no += 1) table.add(`letter ${no}`, [`lane ${no % 7}`, 'x'], no);
    expect([table.letters, table.recipients]).toEqual([3_000, 6_000]);
    for (let no = 0; no < 3_000; no += 1) {
      const row = table.find(`letter ${no}`, 0);
      expect([table.due[row], table.laneName(table.lane[row]!)]).toEqual([no, `lane ${no % 7}`]);
    }
  });

  it('finds each recipient of a letter to very many, in whatever order they go', () => {
    const table = new AgendaTable();
    const lanes = Array.from({ length: 5_000 }, (_, no) => `lane ${no % 50}`);
    for (const round of [0, 1]) {
      table.add('list', lanes, round);
      table.add('other', ['x', 'y'], round);
      // 1,979 and 5,000 have no common divisor: each comes once.
      for (let no = 0; no < 5_000; no += 1) {
        const rcpt = (no * 1_979) % 5_000;
        const row = table.find('list', rcpt);
        expect([table.rcpt[row], table.letter[row]]).toEqual([rcpt, table.letterNo('list')]);
        table.remove(row);
        expect(table.find('list', rcpt)).toBe(none);
      }
      expect(table.has('list')).toBe(false);
      expect(table.find('list', 0)).toBe(none);
      table.remove(table.find('other', 0));
      expect([...table.rowsOf(table.letterNo('other')!)]).toEqual([table.find('other', 1)]);
      table.remove(table.find('other', 1));
    }
    expect(table.recipients).toBe(0);
  });

  it('ignores a letter to nobody', () => {
    const table = new AgendaTable();
    table.add('x', [], 0);
    expect(table.has('x')).toBe(false);
  });

  it('tells its watcher of every wait and rest, by the old lane first', () => {
    const table = new AgendaTable();
    const heard: string[] = [];
    const tell = (what: string) => (row: Row) =>
      heard.push(`${what} ${table.rcpt[row]} in ${table.laneName(table.lane[row]!)}`);
    table.watcher = { waits: tell('waits'), rests: tell('rests') };
    table.add('x', ['a', 'b'], 0);
    const row = table.find('x', 1);
    table.attempt(row, 'c');
    table.wait(row, 5);
    table.hold('x', true);
    table.wait(row, 6);
    table.hold('x', true);
    table.hold('x', false);
    table.remove(row);
    expect(heard).toEqual([
      ...['waits 0 in a', 'waits 1 in b', 'rests 1 in b', 'waits 1 in c'],
      ...['rests 0 in a', 'rests 1 in c', 'waits 0 in a', 'waits 1 in c', 'rests 1 in c'],
    ]);
  });
});

type Model = Map<string, { held: boolean; rows: Map<number, ModelRow> }>;
type ModelRow = { lane: string; due: number; status: number; tried: number };

const act = fc.record({
  what: fc.constantFrom('add', 'add', 'attempt', 'wait', 'remove', 'hold', 'release'),
  letter: fc.nat(5),
  rcpt: fc.nat(4),
  lane: fc.nat(3),
  due: fc.nat(100),
  size: fc.nat(5),
});
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

function apply(
  { what, letter, rcpt, lane, due, size }: Act,
  table: AgendaTable,
  model: Model,
): void {
  const id = `letter ${letter}`;
  const known = model.get(id);
  if (what === 'add') {
    const lanes = Array.from({ length: size }, (_, no) => `lane ${(lane + no) % 4}`);
    table.add(id, lanes, due);
    if (known !== undefined || size === 0) return;
    const rows = lanes.map((name, no): [number, ModelRow] => [
      no,
      { lane: name, due, status: waiting, tried: 0 },
    ]);
    model.set(id, { held: false, rows: new Map(rows) });
    return;
  }
  if (what === 'hold' || what === 'release') {
    table.hold(id, what === 'hold');
    if (known !== undefined) known.held = what === 'hold';
    return;
  }
  const row = table.find(id, rcpt);
  const own = known?.rows.get(rcpt);
  expect(row === none).toBe(own === undefined);
  if (own === undefined) return;
  if (what === 'attempt') {
    table.attempt(row, `lane ${lane}`);
    Object.assign(own, { lane: `lane ${lane}`, status: attempting, tried: 1 });
  } else if (what === 'wait') {
    table.wait(row, due);
    Object.assign(own, { due, status: waiting });
  } else {
    table.remove(row);
    known!.rows.delete(rcpt);
    if (known!.rows.size === 0) model.delete(id);
  }
}

function seen(table: AgendaTable): Model {
  return new Map(
    [...table.openLetters()].map((letter) => [
      table.idOf(letter),
      {
        held: table.isHeld(letter),
        rows: new Map(
          [...table.rowsOf(letter)].map((row) => [
            table.rcpt[row]!,
            {
              lane: table.laneName(table.lane[row]!),
              due: table.due[row]!,
              status: table.status[row]!,
              tried: table.tried[row]!,
            },
          ]),
        ),
      },
    ]),
  );
}

describe('a table of rows and a plain map', () => {
  it('say the same, whatever happens', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 80, size: 'max' }), (acts) => {
        const table = new AgendaTable();
        const model: Model = new Map();
        for (const each of acts) {
          apply(each, table, model);
          expect(seen(table)).toEqual(model);
          expect(table.letters).toBe(model.size);
          const recipients = [...model.values()].reduce((sum, { rows }) => sum + rows.size, 0);
          expect(table.recipients).toBe(recipients);
          const lanes = new Set(
            [...model.values()].flatMap(({ rows }) => [...rows.values()]).map(({ lane }) => lane),
          );
          for (let no = 0; no < 4; no += 1) {
            expect(table.laneNo(`lane ${no}`) !== undefined).toBe(lanes.has(`lane ${no}`));
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('have a watcher hear exactly which rows wait', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 80, size: 'max' }), (acts) => {
        const table = new AgendaTable();
        const model: Model = new Map();
        const waits = new Set<Row>();
        table.watcher = {
          waits: (row) => void waits.add(row),
          rests: (row) => void waits.delete(row),
        };
        for (const each of acts) apply(each, table, model);
        const should = [...table.openLetters()]
          .filter((letter) => !table.isHeld(letter))
          .flatMap((letter) => [...table.rowsOf(letter)])
          .filter((row) => table.status[row] === waiting);
        expect([...waits].sort()).toEqual(should.sort());
      }),
      { numRuns: 300 },
    );
  });
});
