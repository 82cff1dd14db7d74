/** An answer that goes on: printed again as it changes, or line by line, until interrupted. */
import { setTimeout as sleep } from 'node:timers/promises';
import { answerOf, type Run } from '../ask/run.ts';
import { walk, type Walk } from '../ask/walk.ts';
import { toLines } from '../ask/words.ts';
import type { LogAtHand } from '../log/at-hand.ts';
import type { Position } from '../log/ports.ts';
import type { Printer } from './ask-print.ts';
import { giveWay, shareOfFollower } from './giving-way.ts';
import type { Output } from './output.ts';

export type Following = {
  readonly log: LogAtHand;
  readonly run: Run;
  readonly printer: Printer;
  readonly output: Output;
  /** What is folded in already. */
  readonly from: Position;
  readonly urgent: boolean;
  readonly limitMs: number;
};

const pollMs = 100;
/** An answer is printed so often at most. */
const everyMs = 1_000;

/** Ends when interrupted, when nobody reads our lines any more, or when the question is parked. */
export async function followAnswers(following: Following): Promise<void> {
  const { log, run, output, urgent } = following;
  const way = giveWay(urgent ? 1 : shareOfFollower);
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  const { signal } = interrupted;
  const isOver = () => signal.aborted || output.gone || run.parked !== undefined;
  const show = run.named.question.said === undefined ? answerShower(following) : () => undefined;
  try {
    for (let position = following.from; !isOver();) {
      // Asked before reading: what is committed meanwhile is then not missed.
      const version = log.version();
      const walked = await walk(log, [run], walkOf(following, position, way.rest));
      position = walked.position;
      if (walked.interrupted === true) break;
      show();
      await output.drained();
      await way.rest();
      while (!isOver() && log.version() === version) {
        await sleep(pollMs, undefined, { signal }).catch(() => undefined);
        show();
        await output.drained();
      }
    }
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    await output.drained();
  }
}

function walkOf(
  { run, printer, output, limitMs }: Following,
  after: Position,
  rest: () => Promise<void>,
): Walk {
  return {
    ...{ after, limitMs },
    ...(run.named.question.said === undefined ? {} : { onHeard: () => printer.said() }),
    rest: async () => {
      await output.drained();
      await rest();
      return output.gone ? 'stop' : undefined;
    },
  };
}

/** Prints an answer that is another than the last one; looked at no more than once in a while. */
function answerShower({ run, printer }: Following): () => void {
  let shown = '';
  let lookedAt = -Infinity;
  let lookedUpTo = -1;
  return () => {
    const at = performance.now();
    // Some answers change with the hour alone: those are looked at ten times as rarely.
    const wait = run.position === lookedUpTo ? 10 * everyMs : everyMs;
    if (at - lookedAt < wait) return;
    [lookedAt, lookedUpTo] = [at, run.position];
    const now = Date.now();
    const answer = answerOf(run, now);
    if (answer === undefined || run.parked !== undefined) return;
    const text = toLines(answer).join('\n');
    if (text === shown) return;
    shown = text;
    printer.nextAnswer(answer, now);
  };
}
