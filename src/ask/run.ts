/**
 * One question on its way through the log, inside its cage. A question that throws is parked: it hears
 * nothing more, and says which event it could not take and where in its code.
 */
import type { Position, StreamName } from '../log/ports.ts';
import { checkedAnswer } from './check-answer.ts';
import type { Answer, Asked, Given, Happening, Parked, Question } from './ports.ts';

export type Run = {
  readonly question: Question;
  readonly stream: StreamName | undefined;
  /** Half-done once the question is parked, if it works in place: then nobody is shown it. */
  view: unknown;
  /** The last event that it took. */
  position: Position;
  parked: Parked | undefined;
};

/** Throws what `empty` throws: then the options make no sense. */
export function startRun(question: Question, given: Given): Run {
  return {
    ...{ question, position: 0, parked: undefined },
    stream: question.streamOf?.(given),
    view: question.empty(given),
  };
}

/** Folds one event in. Never throws. */
export function hear(run: Run, event: Happening): void {
  if (run.parked !== undefined) return;
  try {
    // A fold in place may forget to give its view back.
    run.view = atOnce(run.question.fold(run.view, event)) ?? run.view;
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

/** `event`: while it was folding it; without, while it was giving its answer. */
export function park(run: Run, cause: unknown, event?: Happening): void {
  const where = whereOf(cause);
  run.parked = {
    ...(event === undefined ? { during: 'answer' } : { during: 'fold', event: placeOf(event) }),
    ...{ error: wordsOf(cause), ...(where === undefined ? {} : { where }) },
  };
}

export const placeOf = ({ position, stream, revision, type }: Happening) => ({
  ...{ position, stream, revision, type },
});

/** The answer as it stands; `undefined` when the question has none, or is parked, now or before. */
export function answerOf(run: Run, asked: Asked): Answer | undefined {
  const { question } = run;
  if (run.parked !== undefined || question.answer === undefined) return undefined;
  try {
    return checkedAnswer(question.answer(run.view, asked));
  } catch (cause) {
    park(run, cause);
    return undefined;
  }
}

/** What the last event had to say. */
export function saidBy(run: Run): readonly string[] {
  if (run.parked !== undefined) return [];
  try {
    return run.question.said?.(run.view) ?? [];
  } catch (cause) {
    park(run, cause);
    return [];
  }
}

export const wordsOf = (cause: unknown): string =>
  cause instanceof Error ? `${cause.name}: ${cause.message}` : `it threw ${String(cause)}`;

/** The innermost place that is a file's: `at fold (file:///q/by-hour.ts:7:11)`. */
function whereOf(cause: unknown): string | undefined {
  const stack = cause instanceof Error ? (cause.stack ?? '') : '';
  const place = /^\s+at .*?\(?(?:file:\/\/)?(\/[^()\n]+:\d+:\d+)\)?$/m.exec(stack)?.[1];
  return place?.replace(/\?[^:]*/, '');
}
