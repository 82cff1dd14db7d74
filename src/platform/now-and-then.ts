/** For words that would otherwise be said a thousand times: at once, then at most once in a while. */
import type { Clock, Instant } from './clock.ts';

/** `say` gets the cause of now and how often it was kept back since it last spoke. */
export function nowAndThen(
  clock: Pick<Clock, 'now'>,
  say: (cause: unknown, kept: number) => void,
  everyMs = 60_000,
): (cause: unknown) => void {
  let next: Instant = -Infinity;
  let kept = 0;
  return (cause) => {
    if (clock.now() < next) {
      kept += 1;
      return;
    }
    next = clock.now() + everyMs;
    say(cause, kept);
    kept = 0;
  };
}
