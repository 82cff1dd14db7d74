import { describe, expect, it } from '@jest/globals';
import type { TcptoSnapshot } from '../../../src/delivery/remote/tcpto.ts';
import {
  drawPatience,
  emptyTcpto,
  formatTcpto,
  fromTcptoSnapshot,
  noteAnswer,
  noteTimeout,
  passesBy,
  tcptoRoom,
  toTcptoSnapshot,
} from '../../../src/delivery/remote/tcpto.ts';

const ip = '192.0.2.1';
const minute = 60_000;
const patience = drawPatience(() => 0);

/** Timeouts at these minutes. */
function after(...minutes: readonly number[]) {
  const table = emptyTcpto();
  for (const at of minutes) noteTimeout(table, ip, at * minute);
  return table;
}

describe('an address that did not answer', () => {
  it.each([
    ['once, is tried again', [0], 1, false],
    ['twice, is left alone', [0, 2], 3, true],
    ['twice, is left alone for 64 minutes', [0, 2], 2 + 63.9, true],
    ['twice, is tried again after 64 minutes', [0, 2], 2 + 64, false],
    ['twice within 120 seconds, counts as once', [0, 1.9], 3, false],
    ['again at 120 seconds, counts twice', [0, 2], 2, true],
  ])('%s', (_, minutes, now, expected) => {
    expect(passesBy(after(...minutes), ip, now * minute, patience)).toBe(expected);
  });

  it('is forgotten when it answers', () => {
    const table = after(0, 2);
    noteAnswer(table, ip);
    expect(passesBy(table, ip, 3 * minute, patience)).toBe(false);
    noteTimeout(table, ip, 4 * minute);
    expect(passesBy(table, ip, 5 * minute, patience)).toBe(false);
  });

  it('is counted ten times at most', () => {
    const table = after(...Array.from({ length: 30 }, (_, n) => 2 * n));
    expect(table.get(ip)).toEqual({ count: 10, at: 58 * minute });
  });

  it('is listed as qmail-tcpto does', () => {
    expect(formatTcpto(after(0, 2), 3 * minute + 999)).toEqual([
      '192.0.2.1 timed out 60 seconds ago; # recent timeouts: 2',
    ]);
  });
});

describe('the table of addresses', () => {
  it('takes patience between 64 and 97 minutes', () => {
    expect(drawPatience(() => 0)).toBe(60 * 64_000);
    expect(drawPatience(() => 0.999)).toBe(91 * 64_000);
  });

  it('holds no more than it has room for; the oldest goes, each timeout worth 1024 seconds', () => {
    const table = emptyTcpto();
    noteTimeout(table, 'old-but-twice', 0);
    noteTimeout(table, 'old-but-twice', 2 * minute);
    for (let n = 1; n < tcptoRoom; n += 1) noteTimeout(table, `a${n}`, 3 * minute + n);
    noteTimeout(table, 'one-more', 4 * minute);
    expect(table.size).toBe(tcptoRoom);
    expect(table.has('a1')).toBe(false);
    expect(table.has('old-but-twice')).toBe(true);
  });

  it('survives a journey to another process', () => {
    const table = after(0, 2);
    const rows = JSON.parse(JSON.stringify(toTcptoSnapshot(table, 3 * minute))) as TcptoSnapshot;
    expect(fromTcptoSnapshot(rows, 3 * minute)).toEqual(table);
    // The other's steady clock began at another time.
    expect(fromTcptoSnapshot(rows, 63 * minute).get(ip)?.at).toBe(62 * minute);
  });
});
