/** What an append to several streams under conditions comes to, before anything is written. */
import type { Expected, Outcome, Proposed } from './store.ts';

/** As the second version of the protocol numbers them: -1 no stream, -4 there is one, -5 it was deleted. */
export type Check = { readonly stream: string; readonly expected: number };

export type Violation = Check & { readonly index: number; readonly actual: number };

export type RecordOf = Proposed & { readonly stream: string };

export type Together =
  | { readonly revisions: ReadonlyMap<string, number>; readonly position: number }
  | { readonly violations: readonly Violation[] };

export type Looks = {
  /** Revision of a stream's last event; -1 where there is none, -5 where it was deleted. */
  readonly state: (stream: string) => number;
  /** As of an append to that stream alone; `undefined`: it may be written. */
  readonly decide: (
    stream: string,
    expected: Expected,
    events: readonly Proposed[],
  ) => Outcome | undefined;
};

/** `undefined`: may be written. All streams that are written repeated is a repetition, whatever else is checked. */
export function judgeTogether(
  records: readonly RecordOf[],
  checks: readonly Check[],
  { state, decide }: Looks,
): Together | undefined {
  const written = [...new Set(records.map(({ stream }) => stream))];
  const unchecked = written.filter((name) => !checks.some(({ stream }) => stream === name));
  const asked = [...checks, ...unchecked.map((stream) => ({ stream, expected: -2 }))];
  const violations: Violation[] = [];
  const repeated = new Map<Violation, { revision: number; position: number }>();
  asked.forEach(({ stream, expected }, index) => {
    const actual = state(stream);
    const check = { index, stream, expected, actual };
    const own = records.filter((record) => record.stream === stream);
    if (own.length === 0) {
      const isSo = expected === -4 ? actual >= 0 : expected === Math.max(-1, actual);
      if (!isSo) violations.push(check);
      return;
    }
    const wanted = expected === -2 ? 'any' : expected === -4 ? 'exists' : expected;
    const outcome = decide(stream, wanted, own);
    if (outcome?.kind === 'written') repeated.set(check, outcome);
    else if (outcome !== undefined) violations.push(check);
  });
  if (repeated.size === written.length) {
    return {
      revisions: new Map([...repeated].map(([{ stream }, { revision }]) => [stream, revision])),
      position: Math.max(...[...repeated.values()].map(({ position }) => position)),
    };
  }
  // Of some that are new and some that are not, the latter are no repetition.
  violations.push(...repeated.keys());
  return violations.length > 0 ? { violations } : undefined;
}
