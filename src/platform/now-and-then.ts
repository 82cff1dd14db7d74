/** For words that would otherwise be said a thousand times: at once, then at most once in a while. */
import type { Clock, Moment } from './clock.ts';

/** `say` gets the cause of now and how often it was kept back since it last spoke. */
export function nowAndThen(
  clock: Pick<Clock, 'steady'>,
  say: (cause: unknown, kept: number) => void,
  everyMs = 60_000,
): (cause: unknown) => void {
  let saidAt: Moment = -Infinity;
  let kept = 0;
  return (cause) => {
    const now = clock.steady();
    if (now < saidAt + everyMs) {
      kept += 1;
      return;
    }
    saidAt = now;
    say(cause, kept);
    kept = 0;
  };
}
