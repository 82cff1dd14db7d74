/**
 * Catch-up, then live, over any engine that can read a page and say that its head has moved.
 * The subscriber is always served from pages, so a slow one lags but never loses or repeats.
 */
import { Observable, type Subscription } from 'rxjs';
import type { LogReader, LogSignal, Position } from './ports.ts';

const pageEvents = 1_000;

export function subscribeTo(
  reader: Pick<LogReader, 'readAll'>,
  moved$: Observable<Position>,
  from: Position,
): Observable<LogSignal> {
  return new Observable<LogSignal>((subscriber) => {
    let cursor = from;
    let moved = true;
    let wake: (() => void) | undefined;
    let ended = false;

    const run = async () => {
      let live = false;
      while (!subscriber.closed) {
        moved = false;
        const page = await reader.readAll({ after: cursor, limit: pageEvents });
        for (const event of page) {
          if (subscriber.closed) return;
          cursor = event.position;
          subscriber.next({ kind: 'event', event });
        }
        if (page.length === pageEvents) {
          live = false;
          // A long catch-up must not keep the loop from its sockets and commits.
          await new Promise<void>((resolve) => setImmediate(resolve));
          continue;
        }
        if (!live) subscriber.next({ kind: 'caught-up', position: cursor });
        live = true;
        if (moved) continue;
        if (ended) break;
        await new Promise<void>((resolve) => (wake = resolve));
        if (ended && !moved) break;
      }
      subscriber.complete();
    };

    const stir = () => {
      moved = true;
      wake?.();
    };
    const watching: Subscription = moved$.subscribe({
      next: stir,
      error: (cause: unknown) => subscriber.error(cause),
      complete: () => {
        ended = true;
        wake?.();
      },
    });
    run().catch((cause: unknown) => subscriber.error(cause));
    return () => {
      watching.unsubscribe();
      wake?.();
    };
  });
}
