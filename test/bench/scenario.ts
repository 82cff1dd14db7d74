/** A part of the bench: what it measures, how long its way is, and what it found. */
import type { Stage } from './stage.ts';

export type Part = {
  /** For people. */
  readonly text: string;
  /** For `--json`. */
  readonly data: unknown;
};

export type Scenario = {
  readonly name: string;
  readonly title: string;
  /** Left out unless it is asked for by name. */
  readonly whenAsked?: boolean;
  /** How many steps `run` tells the progress of. */
  steps(stage: Stage): number;
  run(stage: Stage): Promise<Part>;
};
