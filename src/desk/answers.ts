/** The queue and the letters as the desk shows them, out of the log, the past and what `why` reads. */
import type { LogReader } from '../log/ports.ts';
import type { MessageId } from '../mail/envelope.ts';
import type { Clock } from '../platform/clock.ts';
import type { Past } from '../past/ports.ts';
import { findLetter, type FindLetters } from '../trace/letter-name.ts';
import { letterFacts, type LetterFacts } from '../trace/queue-rows.ts';
import { readLetter } from '../trace/read-letter.ts';
import type { NodeHistory } from '../trace/rules-of-the-day.ts';
import { whyLetter } from '../trace/why.ts';
import type { Letters, Queue } from './ports.ts';
import { subjectIn } from './subject.ts';

type Log = Pick<LogReader, 'readStream' | 'readAll' | 'head'>;

/** No page looks further down the queue than this. */
const deepest = 100_000;

export function queueAnswers(
  log: Log,
  past: Pick<Past, 'queueAt'>,
  clock: Pick<Clock, 'now'>,
): Queue {
  const rowsNow = remembered((most) => past.queueAt({ at: clock.now() }, most));
  return {
    async queueAt({ place, limit, offset = 0 }) {
      const from = Math.min(offset, deepest);
      const most = from + limit;
      const answer = await (place === undefined ? rowsNow(most) : past.queueAt(place, most));
      const { rows, counts, position, now } = answer;
      const facts = new Map<MessageId, LetterFacts>();
      const entries = [];
      for (const row of rows.slice(from)) {
        const letter = facts.get(row.message) ?? (await factsAt(log, row.message, position));
        facts.set(row.message, letter);
        entries.push({ ...row, letter });
      }
      return { entries, counts, at: now, position };
    },
    async span() {
      const [[first], [last]] = await Promise.all([
        log.readAll({ limit: 1 }),
        log.readAll({ limit: 1, direction: 'backwards' }),
      ]);
      return first === undefined || last === undefined
        ? undefined
        : { first: Math.min(first.at, last.at), last: Math.max(first.at, last.at) };
    },
  };
}

/** Pages ask again whenever the log grows, and a very long queue takes half a second to look through. */
const restPerWork = 10;
const mostAnswers = 8;

/** An answer counts for ten times as long as it took, so that watching takes a tenth of the time at most. */
function remembered<T>(ask: (most: number) => Promise<T>): (most: number) => Promise<T> {
  const answers = new Map<number, { readonly answer: Promise<T>; until: number }>();
  return (most) => {
    const known = answers.get(most);
    const startedAt = performance.now();
    if (known !== undefined && startedAt < known.until) return known.answer;
    const made = { answer: ask(most), until: Infinity };
    answers.delete(most);
    answers.set(most, made);
    for (const oldest of answers.keys()) {
      if (answers.size <= mostAnswers) break;
      answers.delete(oldest);
    }
    made.answer.then(
      () => {
        const now = performance.now();
        made.until = now + restPerWork * (now - startedAt);
      },
      () => answers.delete(most),
    );
    return made.answer;
  };
}

/** What was known of a letter at that point. */
async function factsAt(log: Log, message: MessageId, position: number): Promise<LetterFacts> {
  const { events } = await readLetter(log, message);
  return letterFacts(events.filter((event) => event.position <= position));
}

export type LetterSources = {
  readonly log: Log;
  readonly find: FindLetters;
  readonly history: () => Promise<NodeHistory>;
  readonly engineRuns: () => boolean | undefined;
  /** A body that lies in the log itself, while it does. */
  readonly body: (stream: string) => Uint8Array | undefined;
  readonly clock: Pick<Clock, 'now'>;
};

export const letterAnswers = ({
  log,
  find,
  history,
  engineRuns,
  body,
  clock,
}: LetterSources): Letters => ({
  find: (text) => findLetter(text, find),
  async reasons(message, rcpt) {
    const { reasons } = await whyLetter({
      ...{ log, message, history: await history(), now: clock.now(), engineRuns: engineRuns() },
      rcpt: rcpt === undefined ? undefined : String(rcpt),
    });
    return reasons;
  },
  subject(message) {
    const bytes = body(`message-${message}`);
    return bytes === undefined ? undefined : subjectIn(bytes);
  },
});
