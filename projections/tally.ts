/**
 * Sums by key, in bounded memory: exact for as many keys as are told apart; from there on the rarest are
 * now and then added up as `(others)`, so that totals stay exact and the common ones nearly so.
 */
export type Tally = {
  readonly sums: Map<string, Float64Array>;
  readonly width: number;
  readonly most: number;
  others: Float64Array | undefined;
};

export const others = '(others)';

/** Keys told apart when nobody says otherwise; twice as many are in memory at times, 200 bytes each. */
export const usualMost = 100_000;

export const keepOption = (most = usualMost) =>
  ({
    kind: 'number',
    about: 'how many to tell apart; beyond, the rarest are added up as (others)',
    default: String(most),
  }) as const;

export const boundsWords = (what: string): string =>
  `exact up to --keep ${what}, beyond that the rarest are added up as (others); about 200 bytes each`;

/** `width` sums per key. The first is what makes a key common. */
export const startTally = (width: number, most: unknown = usualMost): Tally => ({
  ...{ sums: new Map(), width, others: undefined },
  most: typeof most === 'number' && most > 0 ? most : usualMost,
});

/** The sums of a key, to add to. */
export function sumsOf(tally: Tally, key: string): Float64Array {
  const known = tally.sums.get(key);
  if (known !== undefined) return known;
  if (tally.sums.size >= 2 * tally.most) addUpRarest(tally);
  const fresh = new Float64Array(tally.width);
  tally.sums.set(key, fresh);
  return fresh;
}

function addUpRarest(tally: Tally): void {
  const rest = (tally.others ??= new Float64Array(tally.width));
  for (const [key, sums] of rankedSums(tally).slice(tally.most)) {
    sums.forEach((sum, index) => (rest[index]! += sum));
    tally.sums.delete(key);
  }
}

/** By the first sum, the largest first; equal ones by name. */
const rankedSums = ({ sums }: Tally): [string, Float64Array][] =>
  [...sums].sort(([a, one], [b, two]) => two[0]! - one[0]! || (a < b ? -1 : 1));

/** In that order, the others last. */
export function ranked(tally: Tally): readonly (readonly [string, Float64Array])[] {
  const rows = rankedSums(tally);
  const rest = tally.others === undefined ? undefined : Float64Array.from(tally.others);
  if (rest === undefined) return rows;
  for (const [, sums] of rows.slice(tally.most))
    sums.forEach((sum, index) => (rest[index]! += sum));
  return [...rows.slice(0, tally.most), [others, rest]];
}
