/** The queue and the letters as the desk shows them, out of the log, the past and what `why` reads. */
import type { LogReader, RecordedEvent } from '../log/ports.ts';
import type { MessageId } from '../mail/envelope.ts';
import type { Clock } from '../platform/clock.ts';
import type { LiveAgenda } from '../past/live-agenda.ts';
import type { Past, Place } from '../past/ports.ts';
import { Trouble } from '../mail/trouble.ts';
import { parseMessageId } from '../mail/message-id.ts';
import { messageStream } from '../queue/events.ts';
import { findLetterLater } from '../trace/letter-name.ts';
import { readFacts } from '../trace/queue-lines.ts';
import type { LetterFacts } from '../trace/queue-rows.ts';
import { momentOf, whyLetter } from '../trace/why.ts';
import { formatInstant } from '../trace/words.ts';
import type { Letters, OwnHistory, Preparing, Queue } from './ports.ts';
import { subjectIn } from './subject.ts';

type Log = Pick<LogReader, 'readStream' | 'readAll' | 'head'>;

/** No page looks further down the queue than this. */
const deepest = 100_000;

export type QueueSources = {
  readonly log: Log;
  readonly past: Pick<Past, 'queueAt'>;
  /** The queue of now where somebody keeps it; absent: the past is asked for that, too. */
  readonly present?: Pick<LiveAgenda, 'queueAt' | 'upTo'>;
  readonly clock: Pick<Clock, 'now'>;
  /** How far the marks of the past are, while they are made. */
  readonly preparing?: () => Preparing | undefined;
};

export function queueAnswers({ log, past, present, clock, preparing }: QueueSources): Queue {
  const rowsNow = remembered(async (most) => {
    const now = clock.now();
    return present?.queueAt(now, most) ?? past.queueAt({ at: now }, most);
  });
  let beginning: RecordedEvent | undefined;
  return {
    async queueAt({ place, limit, offset = 0 }) {
      refuseUnprepared(preparing?.(), place);
      const from = Math.min(offset, deepest);
      const most = from + limit;
      if (place === undefined) await present?.upTo(await log.head());
      const answer = await (place === undefined ? rowsNow(most) : past.queueAt(place, most));
      const { rows, counts, position, now } = answer;
      const shown = rows.slice(from);
      const facts = await factsOf(log, new Set(shown.map(({ message }) => message)), position);
      const entries = shown.map((row) => ({ ...row, letter: facts.get(row.message)! }));
      return { entries, counts, at: now, position };
    },
    async span() {
      beginning ??= (await log.readAll({ limit: 1 }))[0];
      const first = beginning;
      const [last] = await log.readAll({ limit: 1, direction: 'backwards' });
      return first === undefined || last === undefined
        ? undefined
        : { first: Math.min(first.at, last.at), last: Math.max(first.at, last.at) };
    },
  };
}

/** Folding the same years a second time, beside those who make the marks, helps nobody. */
function refuseUnprepared(preparing: Preparing | undefined, place: Place | undefined): void {
  if (preparing === undefined) return;
  const { position, head } = preparing;
  if (place !== undefined && 'position' in place && place.position <= position) return;
  const percent = Math.floor((100 * position) / Math.max(1, head));
  const detail = `the past is being prepared (${percent} %): the queue can be shown when that is done`;
  throw new Trouble('busy', { tryAgain: true, peer: 'not yet', detail });
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

/** Side by side: each may be a way to a server and back. */
const readAtOnce = 16;

async function factsOf(
  log: Log,
  messages: ReadonlySet<MessageId>,
  position: number,
): Promise<ReadonlyMap<MessageId, LetterFacts>> {
  const facts = new Map<MessageId, LetterFacts>();
  const waiting = messages.values();
  const reader = async (): Promise<void> => {
    for (const message of waiting) facts.set(message, await readFacts(log, message, position));
  };
  await Promise.all(Array.from({ length: readAtOnce }, reader));
  return facts;
}

export type LetterSources = {
  readonly log: Log;
  readonly past: Pick<Past, 'positionAt'>;
  /** Streams of letters by a part of their id; asked only for what is no whole one. */
  readonly find: (part: string, limit: number) => Promise<readonly string[]>;
  readonly history: OwnHistory;
  readonly engineRuns: () => boolean | undefined;
  /** The first bytes of a letter, while they are kept at hand. */
  readonly body: (message: MessageId) => Promise<Uint8Array | undefined>;
  readonly clock: Pick<Clock, 'now'>;
};

export const letterAnswers = ({
  log,
  past,
  find,
  history,
  engineRuns,
  body,
  clock,
}: LetterSources): Letters => ({
  find: (text) =>
    findLetterLater(
      text,
      async (part, most) => {
        const whole = parseMessageId(part);
        if (whole === undefined) return find(part, most);
        const stream = messageStream(whole);
        return (await log.readStream(stream, { limit: 1 })).length > 0 ? [stream] : [];
        // The views look through all their letters: not for the sake of a count.
      },
      10,
    ),
  async reasons(message, { rcpt, place } = {}) {
    const { now, upTo } =
      place === undefined
        ? { now: clock.now(), upTo: undefined }
        : await momentOf(log, place, (at) => past.positionAt(at));
    const { reasons, events } = await whyLetter({
      ...{ log, message, history: await history(upTo), now },
      ...(upTo === undefined ? { engineRuns: engineRuns() } : { upTo, engineRuns: undefined }),
      rcpt: rcpt === undefined ? undefined : String(rcpt),
    });
    if (events > 0) return { reasons, now };
    const detail = `${message} was not there yet ${formatInstant(now)}`;
    throw new Trouble('not-found', { tryAgain: false, peer: 'no such letter', detail });
  },
  async subject(message) {
    const bytes = await body(message);
    return bytes === undefined ? undefined : subjectIn(bytes);
  },
});
