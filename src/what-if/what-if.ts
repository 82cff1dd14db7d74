/**
 * Walks over the past and judges it again under other control files. One pass, in the log's order; of letters only
 * those that are open at that point of the past are kept in memory.
 */
import type { LogReader } from '../log/ports.ts';
import type { Instant } from '../platform/clock.ts';
import { pagesOf, positionBefore, type Walk } from '../trace/pages.ts';
import type { NodeHistory } from '../trace/rules-of-the-day.ts';
import type { Difference, Summary } from './differences.ts';
import { homesCache } from './homes-cache.ts';
import { openJudge } from './judge.ts';
import { notesOn } from './notes.ts';
import type { TwoHomes } from './ports.ts';
import type { RuleSet } from './rule-set.ts';

export type WhatIf = {
  readonly log: Pick<LogReader, 'readAll' | 'head'>;
  /** Loadings of the control files as the log has them (`readNodeHistory`). */
  readonly history: NodeHistory;
  readonly rules: RuleSet;
  /** Letters that came in, and refusals, between these two, both inclusive; absent: all. */
  readonly since?: Instant;
  readonly until?: Instant;
  readonly homes?: TwoHomes;
  /** First recipient of every letter (`[log] copy_to`): no door has judged it. */
  readonly copyTo?: string;
  readonly onProgress?: Walk['onProgress'];
  readonly rest?: Walk['rest'];
};

/** Differences in the order in which they came to be; the summary at the end. */
export async function* whatIf(question: WhatIf): AsyncGenerator<Difference, Summary> {
  const { log, since, until = Infinity, homes, onProgress, rest } = question;
  const known = homes === undefined ? undefined : homesCache(homes);
  const judge = openJudge(question, known);
  const after = since === undefined ? 0 : await positionBefore(log, since);
  const walk = {
    after,
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(rest === undefined ? {} : { rest }),
  };
  for await (const page of pagesOf(log, walk)) {
    // Who lives where is asked of files, and is known before the page is judged.
    if (known !== undefined) await known.learn(judge.localsIn(page));
    for (const event of page) {
      const differences = judge.hear(event);
      if (differences.length > 0) yield* differences;
    }
    const last = page.at(-1);
    // Past the last letter that counts, with an hour for clocks that were set back.
    if (last !== undefined && last.at > until + 3_600_000 && judge.open === 0) break;
  }
  return { ...judge.summary(), notes: notesOn(question) };
}
