/** What a parked question had before the event that it could not take: its view may be half-changed, so it is folded again. */
import type { Instant } from '../platform/clock.ts';
import type { Asking } from './asking.ts';
import type { Answer } from './ports.ts';
import { walk, type Source, type Walk } from './walk.ts';

/** `undefined` when the question cannot give that answer either. */
export async function answerBefore(
  source: Source,
  asking: Asking,
  now: Instant,
  how: Pick<Walk, 'after' | 'onProgress' | 'rest'> = {},
): Promise<Answer | undefined> {
  const { parked, position } = asking;
  // It was the answer that failed, not an event; or it would not come so far again: there is nothing better.
  if (parked?.during === 'answer' || parked?.memory === true) return asking.answer(now);
  const again = await asking.again();
  try {
    await walk(source, again, { ...how, upTo: { position } });
    return await again.answer(now);
  } finally {
    again.close();
  }
}
