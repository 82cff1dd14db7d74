/**
 * Whether the log can be written. A trouble begins with the first append that fails for the log's own
 * sake and is told once, however many hear of it. While it lasts, whoever must write waits for its end,
 * and one probe at a time asks whether it is over. A broken log (a sync failed) has no end but a restart.
 */
import { BehaviorSubject, filter, map, take, type Observable } from 'rxjs';
import type { Trouble, TroubleCode } from '../mail/trouble.ts';
import type { Cancel, Clock, Instant, Moment } from '../platform/clock.ts';

export type LogTrouble = { readonly cause: Trouble; readonly since: Instant };

export interface LogHealth {
  /** Why nothing can be written now. */
  readonly trouble: LogTrouble | undefined;
  /** The trouble of now, then each beginning and end. */
  readonly trouble$: Observable<LogTrouble | undefined>;
  /** Emits once, when the log can be written: at once or at the end of the trouble. */
  readonly well$: Observable<void>;
  /** What an append heard. Troubles that are not the log's (a conflict, `busy`, one damaged letter) do not count. */
  note(cause: Trouble): void;
  /** Asks no more. */
  close(): void;
}

export type HealthParts = {
  readonly clock: Clock;
  /** Writes something; rejects as long as that is not possible. */
  readonly probe: (trouble: LogTrouble) => Promise<unknown>;
  readonly onTrouble: (trouble: LogTrouble) => void;
  readonly onRecovered: (trouble: LogTrouble) => void;
  /** From one probe to the next; default 1,000. */
  readonly pauseMs?: number;
};

/**
 * A disk that is nearly full takes a probe and refuses the next letter: trouble that comes back within
 * `calmMs` waits twice as long for its first probe, up to this.
 */
const longestPauseMs = 30_000;
const calmMs = 60_000;

const ofTheLog: readonly TroubleCode[] = ['log-full', 'log-unavailable', 'log-broken'];

export const isLogTrouble = ({ code }: Trouble): boolean => ofTheLog.includes(code);

export function openHealth(parts: HealthParts): LogHealth {
  const { clock, probe, onTrouble, onRecovered, pauseMs = 1_000 } = parts;
  const trouble$ = new BehaviorSubject<LogTrouble | undefined>(undefined);
  let cancel: Cancel | undefined;
  let wellSince: Moment = -Infinity;
  let firstPauseMs = pauseMs;
  let closed = false;

  const isFinal = () => trouble$.value?.cause.code === 'log-broken';
  const probeIn = (ms: number): void => {
    if (closed || isFinal()) return;
    cancel = clock.after(ms, () => {
      const asked = trouble$.value!;
      probe(asked).then(
        () => recover(asked),
        () => probeIn(pauseMs),
      );
    });
  };
  const recover = (asked: LogTrouble): void => {
    if (closed || trouble$.value !== asked) return;
    wellSince = clock.steady();
    onRecovered(asked);
    trouble$.next(undefined);
  };
  const begin = (cause: Trouble): void => {
    const trouble = { cause, since: clock.now() };
    onTrouble(trouble);
    trouble$.next(trouble);
  };
  return {
    get trouble() {
      return trouble$.value;
    },
    trouble$,
    well$: trouble$.pipe(
      filter((trouble) => trouble === undefined),
      take(1),
      map(() => undefined),
    ),
    note(cause) {
      if (closed || !isLogTrouble(cause)) return;
      if (trouble$.value === undefined) {
        const isBack = clock.steady() - wellSince < calmMs;
        firstPauseMs = isBack ? Math.min(2 * firstPauseMs, longestPauseMs) : pauseMs;
        begin(cause);
        probeIn(firstPauseMs);
      } else if (cause.code === 'log-broken' && !isFinal()) {
        cancel?.();
        begin(cause);
      }
    },
    close() {
      closed = true;
      cancel?.();
    },
  };
}
