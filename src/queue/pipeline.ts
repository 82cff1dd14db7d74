/**
 * qmail-send's heart: attempts each due job, so many at once per channel, and records verdicts.
 * What is recorded comes back through the log to the agenda, and from there as the next job.
 */
import {
  catchError,
  concatMap,
  defaultIfEmpty,
  defer,
  EMPTY,
  finalize,
  from,
  ignoreElements,
  map,
  mergeMap,
  of,
  startWith,
  take,
  tap,
  timer,
  type Observable,
} from 'rxjs';
import type { RecipientNo } from '../mail/envelope.ts';
import { isTrouble, type Trouble } from '../mail/trouble.ts';
import type { AttemptReport, Channel, ChannelName, Order } from './ports.ts';
import type { Recorder } from './recorder.ts';
import type { Job } from './scheduler.ts';

export type Parts = {
  readonly scheduler: {
    readonly stirred$: Observable<void>;
    take(): Job | undefined;
    started(job: Job, rcpts: readonly RecipientNo[]): void;
    free(job: Job, trouble?: boolean): void;
    release(job: Job): void;
    park(message: string, forMs?: number): void;
  };
  readonly channels: { readonly [C in ChannelName]: Channel };
  readonly recorder: Recorder;
  /** Told what stopped an attempt that is no verdict; never a stranger's fault. */
  readonly onTrouble: (job: Job, cause: unknown) => void;
  /** How long to leave the log alone when it cannot be written; default 1,000. */
  readonly pauseMs?: number;
  /** Emits once when the log can be written, as far as anybody knows; default: at once. */
  readonly untilWell$?: Observable<unknown>;
};

export function dispatch(parts: Parts): Observable<void> {
  const { scheduler } = parts;
  return scheduler.stirred$.pipe(
    startWith(undefined),
    // Synchronous: jobs are handed out as slots allow and no faster.
    concatMap(() => from(jobsOf(scheduler))),
    // Unbounded here, bounded by the slots: every job has one.
    mergeMap((job) => attempt(job, parts)),
  );
}

function* jobsOf(scheduler: Parts['scheduler']): Generator<Job> {
  for (let job = scheduler.take(); job !== undefined; job = scheduler.take()) yield job;
}

function attempt(job: Job, parts: Parts): Observable<void> {
  const { scheduler, recorder } = parts;
  return defer(() => recorder.start(job)).pipe(
    catchError((cause: unknown) => takeBack(job, cause, parts)),
    concatMap((order) => (order === undefined ? pause(parts) : deliver(order, job, parts))),
    tap(({ report }) => scheduler.free(job, neverConnected(report))),
    // The verdict is known and must not be lost: it waits for the log as long as it takes.
    concatMap(({ order, report }) => surely(() => recorder.record(order, report), job, parts)),
    // One bad letter does not stop the post.
    catchError((cause: unknown) => setAside(job, cause, parts)),
    finalize(() => scheduler.release(job)),
  );
}

type Told = { readonly order: Order; readonly report: AttemptReport };

function deliver(order: Order, job: Job, { scheduler, channels }: Parts): Observable<Told> {
  const rcpts = order.recipients.map(({ rcpt }) => rcpt);
  scheduler.started(job, rcpts);
  return defer(() => channels[order.channel].attempt(order)).pipe(
    take(1),
    // A broken channel is our trouble, never the recipient's: it defers.
    catchError((cause: unknown) => of(channelBroke(order, cause))),
    defaultIfEmpty(channelBroke(order, undefined)),
    map((report) => ({ order, report })),
  );
}

/**
 * What could not be recorded is not made. Whether the record stands in the log after all, the log must
 * say; until then the slot stays taken, and so nothing spins.
 */
function takeBack(job: Job, cause: unknown, parts: Parts): Observable<never> {
  if (!mayPass(cause)) throw cause;
  parts.onTrouble(job, cause);
  return pause(parts, () => surely(() => parts.recorder.takeBack(job), job, parts));
}

/**
 * Trouble that ends by waiting. Damage does not, as long as we run: a letter that cannot be read back
 * must not keep its slot, or a few of them would stop the post.
 */
const mayPass = (cause: unknown): cause is Trouble =>
  isTrouble(cause) && cause.tryAgain && cause.code !== 'log-damaged';

/** Again and again, until the log can be written. */
function surely(run: () => Promise<void>, job: Job, parts: Parts): Observable<void> {
  return defer(run).pipe(
    catchError((cause: unknown) => {
      if (!mayPass(cause)) throw cause;
      parts.onTrouble(job, cause);
      return pause(parts, () => surely(run, job, parts));
    }),
  );
}

function pause(parts: Parts, then: () => Observable<void> = () => EMPTY): Observable<never> {
  const { pauseMs = 1000, untilWell$ = of(undefined) } = parts;
  return timer(pauseMs).pipe(
    concatMap(() => untilWell$.pipe(take(1))),
    concatMap(then),
    ignoreElements(),
  );
}

/** A letter whose place on the disk cannot be read waits so long: a cable may be put right, a file restored. */
const damageMs = 15 * 60_000;

/** If recording fails we stop delivering: the slot stays taken for a while, so that nothing spins. */
function setAside(job: Job, cause: unknown, parts: Parts): Observable<never> {
  parts.onTrouble(job, cause);
  if (isTrouble(cause, 'log-damaged')) parts.scheduler.park(job.message, damageMs);
  else if (!isTrouble(cause)) parts.scheduler.park(job.message);
  return pause(parts);
}

/**
 * Nobody answered at the destination; a busy host (4xx) has at least said so. In doubt is what broke on
 * our side or half-way, which says nothing against the destination; where nobody tried, nothing is known.
 */
function neverConnected({ outcomes }: AttemptReport): boolean | undefined {
  if (outcomes.some(({ untried }) => untried === true)) return undefined;
  return (
    outcomes.length > 0 &&
    outcomes.every(
      ({ kind, reply, doubt }) => kind === 'deferred' && reply.code === undefined && doubt !== true,
    )
  );
}

/** Whether the far side took it nobody knows: the attempt is in doubt. */
function channelBroke(order: Order, cause: unknown): AttemptReport {
  const detail = isTrouble(cause) ? cause.peer : 'temporary failure (#4.3.0)';
  return {
    outcomes: order.recipients.map(({ rcpt }) => ({
      rcpt,
      kind: 'deferred',
      doubt: true,
      reply: { text: `Delivery was interrupted: ${detail} Possible duplicate!\n`, status: '4.3.0' },
    })),
  };
}
