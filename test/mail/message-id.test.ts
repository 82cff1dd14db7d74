import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  deriveMessageId,
  instantOf,
  isMessageId,
  makeMessageId,
  parseMessageId,
} from '../../src/mail/message-id.ts';

const instants = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

describe('the name of a letter', () => {
  it('is a UUIDv7', () => {
    const ones = new Uint8Array(10).fill(0xff);
    expect(makeMessageId(0x0192_3456_789a, ones)).toBe('01923456-789a-7fff-bfff-ffffffffffff');
    expect(makeMessageId(0, new Uint8Array(10))).toBe('00000000-0000-7000-8000-000000000000');
  });

  it('tells when it was given', () => {
    fc.assert(
      fc.property(instants, bytes(10), (at, random) => {
        const id = makeMessageId(at, random);
        expect(isMessageId(id)).toBe(true);
        expect(instantOf(id)).toBe(at);
      }),
    );
  });

  it('sorts by time', () => {
    fc.assert(
      fc.property(instants, instants, bytes(10), bytes(10), (a, b, x, y) => {
        fc.pre(a !== b);
        expect(makeMessageId(a, x) < makeMessageId(b, y)).toBe(a < b);
      }),
    );
  });

  it('is the same again when derived from the same hash, and another from another', () => {
    fc.assert(
      fc.property(instants, bytes(32), (at, hash) => {
        const id = deriveMessageId(at, hash);
        const other = hash.map((byte, i) => (i === 9 ? byte ^ 1 : byte));
        expect(deriveMessageId(at, hash.slice())).toBe(id);
        expect(deriveMessageId(at, other)).not.toBe(id);
        expect(isMessageId(id) && instantOf(id) === at).toBe(true);
      }),
    );
  });

  it('does not change the bytes it is made from', () => {
    const random = new Uint8Array(10).fill(0xff);
    makeMessageId(1, random);
    expect(random).toEqual(new Uint8Array(10).fill(0xff));
  });

  it('needs enough bytes and an instant it can hold', () => {
    expect(() => makeMessageId(0, new Uint8Array(9))).toThrow(RangeError);
    expect(() => deriveMessageId(0, new Uint8Array(15))).toThrow(RangeError);
    expect(() => makeMessageId(-1, new Uint8Array(10))).toThrow(RangeError);
    expect(() => makeMessageId(Number.NaN, new Uint8Array(10))).toThrow(RangeError);
    expect(() => makeMessageId(2 ** 48, new Uint8Array(10))).toThrow(RangeError);
  });

  it.each([
    ['01923456-789a-7fff-bfff-ffffffffffff', '01923456-789a-7fff-bfff-ffffffffffff'],
    [' 01923456-789A-7FFF-BFFF-FFFFFFFFFFFF\n', '01923456-789a-7fff-bfff-ffffffffffff'],
    ['message-01923456-789a-7fff-bfff-ffffffffffff', '01923456-789a-7fff-bfff-ffffffffffff'],
    ['01923456-789a-4fff-bfff-ffffffffffff', undefined],
    ['01923456-789a-7fff-7fff-ffffffffffff', undefined],
    ['01923456789a7fffbfffffffffffffff', undefined],
    ['', undefined],
  ])('typed as %j is %j', (typed, id) => {
    expect(parseMessageId(typed)).toBe(id);
  });
});
