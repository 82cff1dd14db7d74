/**
 * Answers that read much of the log: a question of `waybill ask`, and `waybill what-if` with other control files.
 * One at a time, each for a minute at most: what takes longer is the command line's business.
 */
import { toGiven, OptionMistake } from '../ask/given.ts';
import { loadAll, loadOne, refusedWords, type Loading } from '../ask/load.ts';
import { answerOf, parkedWords, saidBy, startRun, type Run } from '../ask/run.ts';
import { walk, type Source } from '../ask/walk.ts';
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
  readonly rest: () => Promise<void>;
  readonly loading: Loading;
  readonly history: () => Promise<NodeHistory>;
};

const longestMs = 60_000;

/** A question of somebody's own may hang: so long may it take for a page of events. */
const pageMs = 5_000;

const mostLines = 500;

const tooLong = (command: string): Trouble =>
  new Trouble('refused', {
    ...{ tryAgain: false, peer: 'too long' },
    detail: `that takes longer than a minute: ask for less, or use ${command}`,
  });

export function questionAnswers({ log, clock, rest, loading }: DeepSources): Questions {
  const inTurn = oneAtATime();
  return {
    list: async () => (await loadAll(loading)).questions,
    ask: (name, { place, given: texts }) =>
      inTurn(async () => {
        const named = await loadOne(name, loading);
        if (named === undefined || 'why' in named) {
          const detail = named === undefined ? `there is no question ${name}` : refusedWords(named);
          throw new Trouble('not-found', { tryAgain: false, peer: 'no such question', detail });
        }
        const run = startedRun(() => startRun(named, toGiven(named.question, texts)));
        const lines: string[] = [];
        const until = performance.now() + longestMs;
        let isLate = false;
        const walked = await walk(log, [run], {
          ...{ upTo: place, limitMs: pageMs },
          onHeard: () => {
            for (const line of saidBy(run)) if (lines.push(line) > mostLines) lines.shift();
          },
          rest: async () => {
            await rest();
            isLate = performance.now() > until;
            return isLate ? 'stop' : undefined;
          },
        });
        if (isLate) throw tooLong(`waybill ask ${name}`);
        if (run.parked !== undefined) throw refused(parkedWords(run, run.parked));
        const now = place === undefined ? clock.now() : 'at' in place ? place.at : walked.at;
        const answer = answerOf(run, now);
        // Answering may park it, too.
        if (run.parked !== undefined) throw refused(parkedWords(run, run.parked));
        return answer ?? { kind: 'lines', lines };
      }),
  };
}

/** Options that make no sense are the asker's mistake. */
function startedRun(start: () => Run): Run {
  try {
    return start();
  } catch (cause) {
    if (cause instanceof OptionMistake || cause instanceof Error) throw refused(cause.message);
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
