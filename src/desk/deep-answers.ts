/**
 * Answers that read much of the log: a question of `waybill ask`, and `waybill what-if` with other control files.
 * One at a time, each for a minute at most: what takes longer is the command line's business.
 */
import type { Asking } from '../ask/asking.ts';
import { toGiven } from '../ask/given.ts';
import { loadAll, loadOne, refusedWords, type Loading } from '../ask/load.ts';
import { parkedWords } from '../ask/parked.ts';
import type { Answer } from '../ask/ports.ts';
import { walk, type Place, type Source } from '../ask/walk.ts';
import { Trouble } from '../mail/trouble.ts';
import type { Clock } from '../platform/clock.ts';
import type { NodeHistory } from '../trace/rules-of-the-day.ts';
import { formatDifference, formatSummary } from '../what-if/words.ts';
import { toRuleSet } from '../what-if/rule-set.ts';
import { whatIf } from '../what-if/what-if.ts';
import type { Otherwise, Questions } from './ports.ts';

export type DeepSources = {
  readonly log: Source;
  readonly clock: Pick<Clock, 'now'>;
  /** Lets the mail to the processor. */
  readonly rest: (besidesMs?: number) => Promise<void>;
  readonly loading: Loading;
  readonly history: () => Promise<NodeHistory>;
};

const longestMs = 60_000;

/** A process of its own for each question; its answer comes within, or never. */
const cage = { answerMs: 10_000, heapMiB: 512 };

const mostLines = 500;

const tooLong = (command: string): Trouble =>
  new Trouble('refused', {
    ...{ tryAgain: false, peer: 'too long' },
    detail: `that takes longer than a minute: ask for less, or use ${command}`,
  });

export function questionAnswers({ log, clock, rest, loading }: DeepSources): Questions {
  const inTurn = oneAtATime();
  return {
    list: async () => (await loadAll({ ...loading, ...cage })).questions,
    ask: (name, { place, given }) =>
      inTurn(async () => {
        const caged = await loadOne(name, { ...loading, ...cage });
        if (caged === undefined || 'why' in caged) {
          const detail = caged === undefined ? `there is no question ${name}` : refusedWords(caged);
          throw new Trouble('not-found', { tryAgain: false, peer: 'no such question', detail });
        }
        try {
          const asking = await startedWith(() => caged.start(toGiven(caged.named.question, given)));
          return await answerWithin(longestMs, { log, clock, rest }, asking, place);
        } finally {
          caged.close();
        }
      }),
  };
}

async function answerWithin(
  limitMs: number,
  { log, clock, rest }: Pick<DeepSources, 'log' | 'clock' | 'rest'>,
  asking: Asking,
  place: Place | undefined,
): Promise<Answer> {
  const { name } = asking.named;
  const lines: string[] = [];
  const until = performance.now() + limitMs;
  let isLate = false;
  const walked = await walk(log, asking, {
    ...{ upTo: place },
    onLines: (said) => {
      lines.push(...said.slice(-mostLines));
      lines.splice(0, lines.length - mostLines);
    },
    rest: async (ranMs) => {
      await rest(ranMs);
      isLate = performance.now() > until;
      return isLate ? 'stop' : undefined;
    },
  });
  if (isLate) throw tooLong(`waybill ask ${name}`);
  const now = place === undefined ? clock.now() : 'at' in place ? place.at : walked.at;
  const answer = asking.parked === undefined ? await asking.answer(now) : undefined;
  // Answering may park it, too.
  if (asking.parked !== undefined) {
    throw refused(parkedWords(name, asking.position, asking.parked));
  }
  return answer ?? { kind: 'lines', lines };
}

/** Options that make no sense are the asker's mistake. */
async function startedWith(start: () => Promise<Asking>): Promise<Asking> {
  try {
    return await start();
  } catch (cause) {
    if (cause instanceof Error) throw refused(cause.message);
    throw cause;
  }
}

export function otherwiseAnswers({ log, rest, history }: DeepSources): Otherwise {
  const inTurn = oneAtATime();
  return {
    files: async () => (await history()).newest?.files ?? {},
    compare: (changed, since) =>
      inTurn(async () => {
        const known = await history();
        const files = { ...known.newest?.files, ...changed };
        const rules = toRuleSet(files, { digest: 'as typed', where: 'control' });
        const until = performance.now() + longestMs;
        const asked = {
          log,
          history: known,
          rules,
          rest,
          ...(since === undefined ? {} : { since }),
        };
        const lines: string[] = [];
        for (const judging = whatIf(asked); ;) {
          const next = await judging.next();
          if (next.done === true) return [...formatSummary(next.value), ...lines];
          if (performance.now() > until) throw tooLong('waybill what-if');
          if (lines.length < mostLines) lines.push(...formatDifference(next.value));
        }
      }),
  };
}

const refused = (detail: string): Trouble =>
  new Trouble('refused', { tryAgain: false, peer: 'refused', detail });

/** Somebody else's question is not waited for: the second is told to come again. */
function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let isBusy = false;
  return async (work) => {
    if (isBusy) {
      const detail = 'another such question is being answered: try again in a moment';
      throw new Trouble('busy', { tryAgain: true, peer: 'busy', detail });
    }
    isBusy = true;
    try {
      return await work();
    } finally {
      isBusy = false;
    }
  };
}
