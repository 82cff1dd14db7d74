/** What a parked question had before the event that it could not take: its view may be half-changed, so it is folded again. */
import type { Instant } from '../platform/clock.ts';
import type { Answer } from './ports.ts';
import { answerOf, startRun, type Run } from './run.ts';
import { walk, type Source, type Walk } from './walk.ts';

/** Also kept in the run. `undefined` when the question cannot give that answer either. */
export async function answerBefore(
  source: Source,
  run: Run,
  now: Instant,
  how: Pick<Walk, 'after' | 'limitMs' | 'onProgress' | 'rest'> = {},
): Promise<Answer | undefined> {
  // It was the answer that failed, not an event: there is nothing better.
  if (run.parked?.event === undefined) return run.kept?.answer;
  const again = startRun(run.named, run.given);
  await walk(source, [again], { ...how, upTo: { position: run.position } });
  const answer = answerOf(again, now);
  run.kept = again.kept;
  return answer;
}
