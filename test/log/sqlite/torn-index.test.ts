import { describe, expect, it } from '@jest/globals';
import { onceWhole } from '../../../src/log/sqlite/torn-index.ts';
import { toTrouble } from '../../../src/log/sqlite/sqlite-trouble.ts';

const torn = Object.assign(new Error('attempt to write a readonly database'), { errcode: 264 });

/** Throws these, one after the other, and is whole afterwards. */
const reading = (...causes: readonly Error[]) => {
  const left = [...causes];
  return () => {
    const cause = left.shift();
    if (cause !== undefined) throw cause;
    return left;
  };
};

describe('an index that is looked at in the middle of a change', () => {
  it.each([
    ['once', [torn]],
    ['six times', [torn, torn, torn, torn, torn, torn]],
    ['in the words of the log', [toTrouble(torn)]],
  ])('is looked at again (%s)', (_, causes) => {
    expect(onceWhole(reading(...causes))).toEqual([]);
  });

  it('is given up when nobody ends that change', () => {
    const forEver = () => {
      throw torn;
    };
    expect(() => onceWhole(forEver)).toThrow(torn);
  });

  it('is not what a read-only disk is', () => {
    const readOnly = Object.assign(new Error('attempt to write'), { errcode: 8 });
    const read = reading(readOnly);
    expect(() => onceWhole(read)).toThrow(readOnly);
    expect(toTrouble(readOnly).message).toContain('read-only');
  });
});
