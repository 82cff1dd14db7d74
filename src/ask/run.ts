/**
 * One question on its way through the log. A question that throws is parked: it hears nothing more, says
 * which event it could not take and where in its code, and stops nobody else.
 */
import type { Position, StreamName } from '../log/ports.ts';
import type { Instant } from '../platform/clock.ts';
import type { Answer, Asked, Given, Happening, Named } from './ports.ts';

/** Why a question does not go on. Its text may quote a stranger's. */
export type Parked = {
  /** The event that it was folding; absent when it was giving its answer. */
  readonly event?: Pick<Happening, 'position' | 'stream' | 'revision' | 'type'>;
  readonly error: string;
  /** `file:line:column` of the place in its code, where the error tells. */
  readonly where?: string;
};

export type Run = {
  readonly named: Named;
  readonly given: Given;
  readonly hears: ReadonlySet<string> | undefined;
  readonly stream: StreamName | undefined;
  /** Half-done once the question is parked, if it works in place: then nobody is shown it. */
  view: unknown;
  /** The last event that it took, or passed over. */
  position: Position;
  parked: Parked | undefined;
  /** The last answer that it gave; a parked question keeps it. */
  kept: { readonly answer: Answer; readonly asked: Asked } | undefined;
};

/** Throws what `empty` throws: then the options make no sense. */
export function startRun(named: Named, given: Given): Run {
  const { hears, empty } = named.question;
  return {
    ...{ named, given, position: 0, parked: undefined, kept: undefined },
    hears: hears === undefined ? undefined : new Set<string>(hears),
    stream: named.question.streamOf?.(given),
    view: empty.call(named.question, given),
  };
}

/** From when on events matter to it. */
export const hearsFrom = ({ named, given }: Run): Instant =>
  named.question.learns === true ? -Infinity : (given.since ?? -Infinity);

/** Whether an event is its business. */
export const isFor = (
  run: Run,
  { type, stream, at }: Pick<Happening, 'stream' | 'at'> & { readonly type: string },
): boolean =>
  (run.hears === undefined || run.hears.has(type)) &&
  (run.stream === undefined || run.stream === stream) &&
  at >= hearsFrom(run);

/** Folds one event in. Never throws. */
export function hear(run: Run, event: Happening): void {
  if (run.parked !== undefined) return;
  try {
    // A fold in place may forget to give its view back.
    run.view = atOnce(run.named.question.fold(run.view, event)) ?? run.view;
    run.position = event.position;
  } catch (cause) {
    park(run, cause, event);
  }
}

/** Nobody waits for a promise: its view would be lost, and its failure would end the process. */
function atOnce<T>(view: T): T {
  if (!(view instanceof Promise)) return view;
  view.catch(() => undefined);
  throw new Error('fold() must give its view at once, and not be async');
}

export function park(run: Run, cause: unknown, event?: Happening): void {
  const told = event === undefined ? {} : { event: placeOf(event) };
  const where = whereOf(cause);
  run.parked = { ...told, error: wordsOf(cause), ...(where === undefined ? {} : { where }) };
}

const placeOf = ({ position, stream, revision, type }: Happening) => ({
  ...{ position, stream, revision, type },
});

/** The answer as it stands; of a parked question the last one that it gave, if any. */
export function answerOf(run: Run, now: Instant): Answer | undefined {
  const { question } = run.named;
  if (run.parked === undefined && question.answer !== undefined) {
    try {
      const asked = { position: run.position, now };
      run.kept = { answer: checked(question.answer(run.view, asked)), asked };
    } catch (cause) {
      park(run, cause);
    }
  }
  return run.kept?.answer;
}

/** What the last event had to say. */
export function saidBy(run: Run): readonly string[] {
  if (run.parked !== undefined) return [];
  try {
    return run.named.question.said?.(run.view) ?? [];
  } catch (cause) {
    park(run, cause);
    return [];
  }
}

/** A stranger to the compiler wrote the question: what it gives is looked at once, here. */
function checked(answer: Answer): Answer {
  const isRight =
    answer.kind === 'lines'
      ? Array.isArray(answer.lines)
      : answer.kind === 'table' && Array.isArray(answer.columns) && Array.isArray(answer.rows);
  if (isRight) return answer;
  throw new Error(
    "answer() must give { kind: 'table', columns, rows } or { kind: 'lines', lines }",
  );
}

const wordsOf = (cause: unknown): string =>
  cause instanceof Error ? `${cause.name}: ${cause.message}` : `it threw ${String(cause)}`;

/** The innermost place that is a file's: `at fold (file:///q/by-hour.ts:7:11)`. */
function whereOf(cause: unknown): string | undefined {
  const stack = cause instanceof Error ? (cause.stack ?? '') : '';
  const place = /^\s+at .*?\(?(?:file:\/\/)?(\/[^()\n]+:\d+:\d+)\)?$/m.exec(stack)?.[1];
  return place?.replace(/\?[^:]*/, '');
}

/** In one sentence; strangers' text in it is not made harmless yet. */
export function parkedWords({ named, position }: Run, { event, error, where }: Parked): string {
  const at = where === undefined ? '' : ` at ${where}`;
  if (event === undefined) return `${named.name} is parked: its answer failed: ${error}${at}`;
  const { position: failed, stream, revision, type } = event;
  return `${named.name} is parked at event ${failed} (${type}, revision ${revision} of ${stream}): ${error}${at}; up to event ${position} it took everything`;
}
