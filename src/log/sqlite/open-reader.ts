/** The embedded log as another process reads and follows it, whether or not an engine is writing to it. */
import {
  Subject,
  concatMap,
  distinctUntilChanged,
  filter,
  map,
  takeUntil,
  timer,
  type Observable,
} from 'rxjs';
import type { Damage, LogReader, LogSignal, Position } from '../ports.ts';
import { subscribeTo } from '../subscription.ts';
import { openPages, type LogPages } from './open-pages.ts';

/** Subscriptions end when it is closed. */
export type ReadOnlyLog = LogReader & LogPages;

export type ReaderOptions = {
  readonly pollMs?: number;
  readonly onDamage?: (damage: Damage) => void;
  /** Through memory: for whoever reads all of it once and ends. */
  readonly mapped?: boolean;
};

/** Opens `file` for reading; throws `log-unavailable` when it is no log of ours. */
export function openReader(file: string, options: ReaderOptions = {}): ReadOnlyLog {
  const pages = openPages(file, options.onDamage, options.mapped);
  const closed$ = new Subject<void>();
  const moved$: Observable<Position> = timer(0, options.pollMs ?? 100).pipe(
    takeUntil(closed$),
    map(() => pages.version()),
    distinctUntilChanged(),
    // One after the other, so that a head is never followed by an older one.
    concatMap(() => pages.head()),
    filter((head) => head > 0),
  );
  const log: ReadOnlyLog = {
    ...pages,
    subscribe: (from): Observable<LogSignal> => subscribeTo(log, moved$, from),
    close: () => {
      closed$.next();
      pages.close();
    },
  };
  return log;
}
