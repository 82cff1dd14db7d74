/** Where a question runs: those of other people in a process of their own, ours beside whoever asks them. */
import type { Happening, Question } from '../ports.ts';
import { toFoldOrder, type Read } from './fold-order.ts';
import { Inmate } from './inmate.ts';
import type { Limits, Order, Reply } from './orders.ts';
import { startCage, type CageOptions } from './process.ts';

export interface Cage {
  /**
   * Orders are answered one after the other, in order. Rejects with `CageDied` when there is no sign of life
   * for so many milliseconds, and for ever after.
   */
  say(order: Order, patienceMs: number): Promise<Reply>;
  fold(events: readonly Read[], patienceMs: number): Promise<Reply>;
  close(): void;
}

export function openCage(options: CageOptions): Cage {
  const { say, close } = startCage(options);
  return {
    say: (order, patienceMs) => say(JSON.stringify(order), patienceMs),
    fold: (events, patienceMs) => say(toFoldOrder(events), patienceMs),
    close,
  };
}

/** No cage: for code that is our own, and tested. Time limits hold; memory and the process are shared. */
export function uncaged(limits: Limits, question: Question): Cage {
  const inmate = new Inmate(limits, undefined, question);
  return {
    say: (order) => inmate.obey(order),
    async fold(events) {
      const reply = await inmate.obey({ kind: 'fold', events: events.map(toHappening) });
      // It had the asker's processor, who knows of it.
      return reply.kind === 'folded' ? { ...reply, ranMs: 0 } : reply;
    },
    close: () => undefined,
  };
}

/** What is read is what was written: types we do not know fall through every `switch`. */
function toHappening(event: Read): Happening {
  if (!('json' in event)) return event as Happening;
  const { position, stream, revision, type, v, at, json } = event;
  const data: unknown = JSON.parse(json);
  return { position, stream, revision, type, v, at, data } as Happening;
}
