/** Chance that can be had again: mulberry32 over a seed. */
export type Chance = {
  /** From 0 up to, not including, 1. */
  next(): number;
  /** Whole numbers from 0 up to, not including, `end`. */
  below(end: number): number;
  one<T>(from: readonly T[]): T;
  happens(probability: number): boolean;
};

export function seeded(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    below: (end) => Math.floor(next() * end),
    one: (from) => from[Math.floor(next() * from.length)]!,
    happens: (probability) => next() < probability,
  };
}
