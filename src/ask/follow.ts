/** Asks questions live: first the past, then every event as it comes; tells now and then that views have moved. */
import {
  asyncScheduler,
  bufferTime,
  concatMap,
  defer,
  distinctUntilChanged,
  filter,
  from,
  scan,
  startWith,
  throttleTime,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import type { LogReader, LogSignal, Position } from '../log/ports.ts';
import type { Run } from './run.ts';
import { foldEvents, walk, type Source, type Walk } from './walk.ts';

export type FollowOptions = Pick<Walk, 'after' | 'onProgress' | 'rest' | 'onHeard' | 'limitMs'> & {
  readonly log: Source & Pick<LogReader, 'subscribe'>;
  readonly runs: readonly Run[];
  /** At most one word in so many milliseconds; default 1,000. */
  readonly everyMs?: number;
  readonly scheduler?: SchedulerLike;
};

/** Events are gathered for so long: a time limit on folding has its price, and one pays it per handful. */
const gatherMs = 100;
const mostEvents = 2_000;

/**
 * Gives the position up to which the views are true: when the past is folded in, then at most every `everyMs`
 * while events come. Views change in place: ask `answerOf(run)` when told. Errors when the log fails; follow
 * again with fresh runs.
 */
export function follow(options: FollowOptions): Observable<Position> {
  const { log, runs, everyMs = 1_000, scheduler = asyncScheduler } = options;
  return defer(() => from(walk(log, runs, options))).pipe(
    concatMap(({ position }) =>
      log.subscribe(position).pipe(
        bufferTime(gatherMs, null, mostEvents, scheduler),
        filter((signals) => signals.length > 0),
        scan((last, signals) => foldSignals(options, last, signals), position),
        startWith(position),
      ),
    ),
    distinctUntilChanged(),
    throttleTime(everyMs, scheduler, { leading: true, trailing: true }),
  );
}

function foldSignals(
  options: FollowOptions,
  last: Position,
  signals: readonly LogSignal[],
): Position {
  const events = signals.flatMap((signal) => (signal.kind === 'event' ? [signal.event] : []));
  foldEvents(options.runs, events, options);
  return events.at(-1)?.position ?? last;
}
