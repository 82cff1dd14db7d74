/** An answer that goes on: printed again as it changes, or line by line, until interrupted. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Asking } from '../ask/asking.ts';
import { walk } from '../ask/walk.ts';
import { toLines } from '../ask/words.ts';
import type { LogAtHand } from '../log/at-hand.ts';
import type { Position } from '../log/ports.ts';
import type { Printer } from './ask-print.ts';
import { giveWay, shareOfFollower } from './giving-way.ts';
import type { Output } from './output.ts';

export type Following = {
  readonly log: LogAtHand;
  readonly asking: Asking;
  readonly printer: Printer;
  readonly output: Output;
  /** What is folded in already. */
  readonly from: Position;
  readonly urgent: boolean;
  readonly interrupted: AbortSignal;
};

const pollMs = 100;
/** An answer is printed so often at most. */
const everyMs = 1_000;

/** Ends when interrupted, when nobody reads our lines any more, or when the question is parked. */
export async function followAnswers(following: Following): Promise<void> {
  const { log, asking, printer, output, urgent, interrupted: signal } = following;
  const way = giveWay(urgent ? 1 : shareOfFollower);
  const isOver = () => signal.aborted || output.gone || asking.parked !== undefined;
  const byLine = asking.named.question.byLine === true;
  const show = byLine ? async () => undefined : answerShower(following);
  const rest = async (ranMs: number) => {
    await output.drained();
    await way.rest(ranMs);
    return isOver() ? 'stop' : undefined;
  };
  try {
    for (let position = following.from; !isOver();) {
      // Asked before reading: what is committed meanwhile is then not missed.
      const version = log.version();
      const onLines = (lines: readonly string[]) => printer.said(lines);
      position = (await walk(log, asking, { after: position, rest, onLines })).position;
      await show();
      await rest(0);
      while (!isOver() && log.version() === version) {
        await sleep(pollMs, undefined, { signal }).catch(() => undefined);
        await show();
        await output.drained();
      }
    }
  } finally {
    await output.drained();
  }
}

/** Prints an answer that is another than the last one; looked at no more than once in a while. */
function answerShower({ asking, printer }: Following): () => Promise<void> {
  let shown = '';
  let lookedAt = -Infinity;
  let lookedUpTo = -1;
  return async () => {
    const at = performance.now();
    // Some answers change with the hour alone: those are looked at ten times as rarely.
    const wait = asking.position === lookedUpTo ? 10 * everyMs : everyMs;
    if (at - lookedAt < wait) return;
    [lookedAt, lookedUpTo] = [at, asking.position];
    const now = Date.now();
    const answer = await asking.answer(now);
    if (answer === undefined || asking.parked !== undefined) return;
    const text = toLines(answer).join('\n');
    if (text === shown) return;
    shown = text;
    printer.nextAnswer(answer, now);
  };
}
