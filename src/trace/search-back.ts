/**
 * Letters that match a question, the youngest first, by a walk over the log from its end: a letter is told
 * when the walk meets its first event, for by then it has met all the others. Pages of any engine serve.
 */
import type { LogReader, Position, RecordedEvent, StreamName } from '../log/ports.ts';
import { isTrouble } from '../mail/trouble.ts';
import { messageOf } from '../queue/events.ts';
import { pagesBack, positionAfter, positionBefore, type WalkBack } from './pages.ts';
import { answerOf, isCandidate, type Found, type Question } from './search.ts';

export type SearchBack = Pick<WalkBack, 'onProgress' | 'rest'> & {
  /** Letters accepted before this position. */
  readonly before?: Position | undefined;
  /** So many events of letters whose beginning is further back are kept; beyond that they are read again. */
  readonly maxHeld?: number;
};

type Log = Pick<LogReader, 'readAll' | 'readStream' | 'head'>;

/** One list for each page of the log, however empty, so that whoever listens can pause or end the walk. */
export async function* searchBack(
  log: Log,
  question: Question,
  { before, maxHeld = 200_000, ...walk }: SearchBack = {},
): AsyncGenerator<readonly Found[]> {
  const start = await startOf(log, question, before);
  const downTo =
    question.since === undefined ? {} : { downTo: await positionBefore(log, question.since) };
  const held = new Held(start === undefined, maxHeld);
  for await (const page of pagesBack(log, { ...walk, ...downTo, before: start })) {
    const found: Found[] = [];
    for (const event of page) {
      if (messageOf(event.stream) === undefined) continue;
      held.add(event);
      if (event.revision > 0) continue;
      const { story, isWhole } = held.take(event.stream);
      if (!isCandidate(event, question)) continue;
      const answer = answerOf(isWhole ? story : await completed(log, story), question);
      if (answer !== undefined) found.push(answer);
    }
    yield found;
  }
}

/** Where the youngest letter that can match begins; `undefined`: at the end. */
async function startOf(
  log: Log,
  { until }: Question,
  before: Position | undefined,
): Promise<Position | undefined> {
  const after = until === undefined ? undefined : await positionAfter(log, until);
  return before === undefined || after === undefined ? (before ?? after) : Math.min(before, after);
}

/** Events of letters whose beginning the walk has yet to meet. */
class Held {
  readonly #stories = new Map<StreamName, RecordedEvent[]>();
  readonly #max: number;
  #count = 0;
  /** Everything from the end of the log on was heard and kept. */
  #isAll: boolean;

  constructor(fromEnd: boolean, max: number) {
    this.#isAll = fromEnd;
    this.#max = max;
  }

  add(event: RecordedEvent): void {
    if (this.#count >= this.#max) {
      this.#stories.clear();
      this.#count = 0;
      this.#isAll = false;
    }
    const story = this.#stories.get(event.stream);
    if (story === undefined) this.#stories.set(event.stream, [event]);
    else story.push(event);
    this.#count += 1;
  }

  /** In order. Whether it is all of it: nothing follows on a clean-up. */
  take(stream: StreamName): { readonly story: RecordedEvent[]; readonly isWhole: boolean } {
    const story = this.#stories.get(stream)!.reverse();
    this.#stories.delete(stream);
    this.#count -= story.length;
    return { story, isWhole: this.#isAll || story.at(-1)!.type === 'MessageCleanedUp' };
  }
}

/** A letter whose rest is damaged is told as far as it goes: the log itself names the damage. */
async function completed(
  log: Log,
  story: readonly RecordedEvent[],
): Promise<readonly RecordedEvent[]> {
  const { stream, revision } = story.at(-1)!;
  try {
    return [...story, ...(await log.readStream(stream, { from: revision + 1 }))];
  } catch (cause) {
    if (isTrouble(cause) && cause.code === 'log-damaged') return story;
    throw cause;
  }
}
