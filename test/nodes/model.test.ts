/**
 * Several nodes, one log, and everything that can go wrong between them, by seeds: pauses, cuts, crashes,
 * stops, clocks that run as they like, lost answers, an operator at every node.
 */
import { describe, expect, it } from '@jest/globals';
import { badWeek, type Sums } from '../support/cluster-week.ts';

const seeds = Number(process.env['WAYBILL_SEEDS'] ?? 150);

describe('whatever befalls nodes that share a log', () => {
  it(
    'every letter has one owner at a time, ends once, and every doubt is said',
    async () => {
      const only = Number(process.env['WAYBILL_SEED'] ?? 0);
      const all: Sums = {
        ...{ letters: 0, takes: 0, adoptions: 0, doubts: 0, declared: 0, fenced: 0 },
      };
      for (let seed = only || 1; seed <= (only || seeds); seed += 1) {
        try {
          const sums = await badWeek(seed);
          for (const name of Object.keys(all) as (keyof Sums)[]) all[name] += sums[name];
        } catch (cause) {
          throw new Error(`seed ${seed} (WAYBILL_SEED=${seed} has it again)`, { cause });
        }
      }
      if (only > 0) return;
      // It has seen what it is about.
      expect(all.letters).toBeGreaterThan(5 * seeds);
      expect(all.takes).toBeGreaterThan(seeds);
      expect(all.adoptions).toBeGreaterThan(seeds);
      expect(all.doubts).toBeGreaterThan(seeds / 10);
      expect(all.declared).toBeGreaterThan(seeds / 10);
      expect(all.fenced).toBeGreaterThan(seeds / 100);
    },
    Math.max(600_000, 300 * seeds),
  );
});
