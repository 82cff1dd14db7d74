import { beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../src/platform/clock.ts';
import { openRoom, type RoomParts } from '../../src/spool/room.ts';

const mib = 1024 * 1024;
let clock: ManualClock;
let free: number;
let spare: number;
let asked: number;

beforeEach(() => {
  clock = new ManualClock();
  free = 100 * mib;
  spare = 0;
  asked = 0;
});

const open = (parts: Partial<RoomParts> = {}) =>
  openRoom({
    ...{ directory: '.', leastBytes: 64 * mib, clock, spareBytes: () => spare },
    freeBytes: () => {
      asked += 1;
      return free;
    },
    ...parts,
  });

describe('letters', () => {
  it.each([
    [64, 0, undefined],
    [63, 0, 'log-full'],
    [10, 54, undefined],
    [10, 53, 'log-full'],
  ])('with %d MiB free on the disk and %d in the log: %s', (onDisk, inLog, code) => {
    free = onDisk * mib;
    spare = inLog * mib;
    expect(open()()?.code).toBe(code);
  });

  it('are taken again when there is room, and the disk is asked ten times a second at most', () => {
    free = 0;
    const room = open();
    for (let letter = 0; letter < 1_000; letter += 1) expect(room()).toBeDefined();
    expect(asked).toBe(1);
    free = 100 * mib;
    clock.advance(100);
    expect(room()).toBeUndefined();
    expect(asked).toBe(2);
  });

  it('are taken to the last byte where the operator wants it so', () => {
    free = 0;
    expect(open({ leastBytes: 0 })()).toBeUndefined();
    expect(asked).toBe(0);
  });

  it('are not turned away because the disk cannot be asked', () => {
    const room = open({
      freeBytes: () => {
        throw new Error('EIO');
      },
    });
    expect(room()).toBeUndefined();
  });

  it('are told of the real disk', () => {
    const { freeBytes: _, ...parts } = { freeBytes: 0, directory: '.', clock };
    const ask = (leastBytes: number) => openRoom({ ...parts, leastBytes, spareBytes: () => 0 })();
    expect(ask(1)).toBeUndefined();
    expect(ask(Number.MAX_SAFE_INTEGER)?.code).toBe('log-full');
  });
});
