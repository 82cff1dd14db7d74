/** Questions put to events that are at hand. */
import type { Answer, Given, Happening, Question } from '../../src/ask/ports.ts';
import { toGiven } from '../../src/ask/given.ts';
import { toLines } from '../../src/ask/words.ts';
import type { RecordedEvent } from '../../src/log/ports.ts';

type Texts = { readonly [option: string]: string };

const heard = ({ hears }: Question, events: readonly RecordedEvent[]): Happening[] =>
  (events as unknown as Happening[]).filter(({ type }) => hears?.includes(type) ?? true);

/** The answer after all of them. */
export function answered(
  question: Question,
  events: readonly RecordedEvent[],
  texts: Texts = {},
  now = events.at(-1)?.at ?? 0,
): Answer {
  const view = heard(question, events).reduce<unknown>(
    (before, event) => question.fold(before, event),
    question.empty(toGiven(question, texts)),
  );
  return question.answer!(view, { position: events.at(-1)?.position ?? 0, now });
}

/** Its table, cell by cell. */
export function rowsOf(...asked: Parameters<typeof answered>): unknown[][] {
  const answer = answered(...asked);
  return answer.kind === 'table' ? answer.rows.map((row) => [...row]) : [];
}

export const linesOf = (...asked: Parameters<typeof answered>): string[] =>
  toLines(answered(...asked));

/** Everything that a question that goes line by line says. */
export function said(
  question: Question,
  events: readonly RecordedEvent[],
  texts: Texts = {},
  since?: number,
): string[] {
  const given: Given = toGiven(question, texts, since);
  let view: unknown = question.empty(given);
  return heard(question, events).flatMap((event) => {
    view = question.fold(view, event);
    return [...question.said!(view)];
  });
}
